"""What people are told, they can read: in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from channel.notices.messages import MANAGER, Message


@pytest.mark.parametrize("facts", [{}, {"zh": "已到期"}, {"zh": "", "en": "is over"}], ids=["no sentence", "one language", "an empty one"])
def test_a_message_without_its_sentence_in_both_languages_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="deal_expired: a message needs its sentence in both languages"):
        Message("deal_expired", MANAGER, "registration:1", facts)
