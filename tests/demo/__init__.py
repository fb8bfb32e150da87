"""Tests of the story that `hub demo` tells."""
