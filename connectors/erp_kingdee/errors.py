"""What Kingdee's refusals mean. Business errors come with HTTP 200: a `MsgCode` for the call, and texts, mostly Chinese.

A text is more telling than its code (most failures are 4 or 11), so texts are looked up first.
"""

from __future__ import annotations

from connectors.errors import Do, ErrorRule, error_table

_REF = "K3Cloud WebAPI, MsgCode"
_SEEN = "texts of K3Cloud seen in public clients"

CODES = error_table(
    # code  do          in our words                                     read from
    ("1", Do.REFRESH, "the session is lost", _REF),
    ("2", Do.FAIL, "the integration user lacks a right", _REF),
    ("3", Do.FAIL, "the operation is empty", _REF),
    ("5", Do.FAIL, "the form is empty", _REF),
    ("7", Do.FAIL, "the licence does not allow it", _REF),
    ("8", Do.REJECT, "a parameter is bad", _REF),
    ("9", Do.REJECT, "a field or value does not exist", _REF),
    ("10", Do.REJECT, "the record does not exist", _REF),
    ("11", Do.REJECT, "validation failed", _REF),
    ("12", Do.BLOCK, "not possible in the record's state", _REF),
    ("13", Do.BLOCK, "a user holds the record", _REF),
    ("14", Do.WAIT, "the call limit is reached", _REF),
    ("15", Do.FAIL, "the administrator may not sign in this way", _REF),
)
"""By MsgCode. 4 (exception) and 6 (database) stand not here: a read is repeated, a write may have been done."""

TEXTS = error_table(
    # part of the text        do          in our words                                        read from
    ("会话信息已丢失", Do.REFRESH, "the session is lost", _SEEN),
    ("请重新登录", Do.REFRESH, "the session is lost", _SEEN),
    ("上下文丢失", Do.REFRESH, "the session is lost", _SEEN),
    ("元数据中标识为", Do.FAIL, "a field is not known to this tenant", _SEEN),
    ("实体不存在此属性", Do.FAIL, "a field stands under the wrong entity", _SEEN),
    ("业务对象不存在", Do.FAIL, "the form is not known to this tenant", _SEEN),
    ("必填项", Do.REJECT, "a required field is empty", _SEEN),
    ("必录", Do.REJECT, "a required field is empty", _SEEN),
    ("签名", Do.FAIL, "the sign-in was refused", _SEEN),
    ("权限", Do.FAIL, "the integration user lacks a right", _SEEN),
    ("许可", Do.FAIL, "the licence does not allow it", _SEEN),
    ("业务操作", Do.BLOCK, "another user's operation holds the record", _SEEN),
    ("冲突", Do.BLOCK, "another user's operation holds the record", _SEEN),
    ("网控", Do.BLOCK, "another user's operation holds the record", _SEEN),
    ("已被其他用户修改", Do.RETRY, "somebody changed it at the same time", _SEEN),
    ("调用次数", Do.WAIT, "the call limit is reached", _SEEN),
    ("过于频繁", Do.WAIT, "calls come too fast", _SEEN),
    ("工作流", Do.BLOCK, "a workflow decides about the record", _SEEN),
    ("流程中", Do.BLOCK, "a workflow decides about the record", _SEEN),
    ("信用额度", Do.BLOCK, "the credit check says no", _SEEN),
    ("信用检查", Do.BLOCK, "the credit check says no", _SEEN),
    ("信用控制", Do.BLOCK, "the credit check says no", _SEEN),
    ("超信用", Do.BLOCK, "the credit check says no", _SEEN),
    ("库存不足", Do.BLOCK, "the stock check says no", _SEEN),
    ("负库存", Do.BLOCK, "the stock check says no", _SEEN),
    ("即时库存", Do.BLOCK, "the stock check says no", _SEEN),
    ("关账", Do.BLOCK, "the period is closed", _SEEN),
    ("结账", Do.BLOCK, "the period is closed", _SEEN),
    ("期间已关闭", Do.BLOCK, "the period is closed", _SEEN),
    ("下游单据", Do.BLOCK, "documents were made from it", _SEEN),
    ("已关闭", Do.BLOCK, "the document is closed", _SEEN),
    ("已审核", Do.BLOCK, "the document is audited", _SEEN),
    ("已提交", Do.BLOCK, "the document is submitted", _SEEN),
    ("审核中", Do.BLOCK, "the document is in approval", _SEEN),
    ("状态", Do.BLOCK, "not possible in the record's state", _SEEN),
    ("必传其一", Do.REJECT, "neither id nor number was given", _SEEN),
    ("已存在", Do.REJECT, "the number is taken", _SEEN),
    ("关联数量", Do.REJECT, "more than the source document has left", _SEEN),
    ("禁用", Do.REJECT, "what it refers to is disabled", _SEEN),
    ("不存在", Do.REJECT, "what it refers to does not exist in that organisation", _SEEN),
)
"""By a part of the text, the first that fits."""

TAKEN = "已存在"
_GONE = ("数据不存在", "单据不存在", "不存在或已删除", "已被删除")


def rule_for(text: str, msg_code: str) -> ErrorRule | None:
    """What a refusal asks for; None for one that nobody has listed.

    The session is judged by code or text, whichever tells; for the rest the text goes first.
    """
    if msg_code == "1":
        return CODES["1"]
    return next((rule for part, rule in TEXTS.items() if part in text), None) or CODES.get(msg_code)


def says_gone(text: str, msg_code: str) -> bool:
    """True when the refusal means that the record is not there."""
    return msg_code == "10" or any(part in text for part in _GONE)
