"""Zoho CRM's error codes, and what each one asks for.

`INTERNAL_ERROR`, `INTERNAL_SERVER_ERROR` and `AMBIGUITY_DURING_PROCESSING` are not listed on purpose: after them a read is tried again and
a write is uncertain, which is what an unlisted code means.
"""

from __future__ import annotations

from connectors.errors import Do, error_table

_HTTP = "API v8, HTTP status codes"
_WRITE = "API v8, insert, update and upsert records"
_PAGE = "API v8, get records"

ERRORS = error_table(
    ("INVALID_TOKEN", Do.REFRESH, "the access token is not valid any more", _HTTP),
    ("AUTHENTICATION_FAILURE", Do.REFRESH, "the call carried no valid token", _HTTP),
    ("OAUTH_SCOPE_MISMATCH", Do.FAIL, "the refresh token was made without a scope that this call needs", _HTTP),
    ("AUTHORIZATION_FAILED", Do.FAIL, "the user's profile does not allow this call", _HTTP),
    ("FEATURE_NOT_SUPPORTED", Do.FAIL, "this edition does not have the feature", _HTTP),
    ("NO_PERMISSION", Do.REJECT, "the user's profile or role does not allow this", _HTTP),
    ("INVALID_MODULE", Do.FAIL, "there is no such module, or the user does not see it", _HTTP),
    ("INVALID_URL_PATTERN", Do.FAIL, "there is no such address in this API version", _HTTP),
    ("INVALID_REQUEST_METHOD", Do.FAIL, "the address does not take this method", _HTTP),
    ("REQUIRED_PARAM_MISSING", Do.FAIL, "a parameter is missing", _HTTP),
    ("INVALID_QUERY", Do.FAIL, "the query was not understood", "API v8, COQL limitations"),
    ("SYNTAX_ERROR", Do.FAIL, "the query was not understood", "API v8, COQL limitations"),
    ("DISCRETE_PAGINATION_LIMIT_EXCEEDED", Do.FAIL, "more than 2,000 records were asked for by page number", _PAGE),
    ("PAGINATION_LIMIT_EXCEEDED", Do.FAIL, "the ceiling of token paging was reached", _PAGE),
    ("EXPIRED_VALUE", Do.FAIL, "the page token is older than 24 hours", _PAGE),
    ("TOKEN_BOUND_DATA_MISMATCH", Do.FAIL, "the page token belongs to another query", _PAGE),
    ("TOO_MANY_REQUESTS", Do.WAIT, "credits or concurrent calls are spent", _HTTP),
    ("RECORD_MODIFIED", Do.RETRY, "somebody changed the record in between", "API v8, If-Unmodified-Since"),
    ("MANDATORY_NOT_FOUND", Do.REJECT, "a mandatory field is missing", _WRITE),
    ("INVALID_DATA", Do.REJECT, "a value is not acceptable", _WRITE),
    ("PATTERN_NOT_MATCHED", Do.REJECT, "a value does not have the form that the field wants", _WRITE),
    ("DEPENDENT_FIELD_MISSING", Do.REJECT, "a field that another one depends on is missing", _WRITE),
    ("DEPENDENT_MISMATCH", Do.REJECT, "two values do not go together", _WRITE),
    ("MAPPING_MISMATCH", Do.REJECT, "layout, pipeline and stage do not go together", _WRITE),
    ("EXPECTED_FIELD_MISSING", Do.REJECT, "one of several fields must be given", _WRITE),
    ("LIMIT_EXCEEDED", Do.REJECT, "a limit of the module is exceeded", _WRITE),
    ("DUPLICATE_DATA", Do.REJECT, "another record has this unique value", _WRITE),
    ("CONVERTED_RECORD", Do.REJECT, "the lead was converted and cannot be changed any more", _WRITE),
    ("RECORD_IN_BLUEPRINT", Do.BLOCK, "a blueprint decides over this field", "API v8, blueprint"),
    ("RECORD_NOT_IN_PROCESS", Do.BLOCK, "the record is not in a blueprint", "API v8, blueprint"),
    ("RECORD_LOCKED", Do.BLOCK, "the record is locked", _WRITE),
    ("NOT_APPROVED", Do.BLOCK, "the record waits for an approval", _WRITE),
    ("NOT_SUBSCRIBED", Do.FAIL, "there is no such notification channel", "API v8, notifications"),
)
"""A code not listed: a read is tried again within its budget, then fails; a write is `uncertain`, never simply repeated."""
