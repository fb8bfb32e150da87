"""Matching: whether a claim (a name, a code, a phone…) is about a customer that somebody already has.

>>> from channel.deals.matching import WEIGHED, Claim, Index, Known, decide, prepare
>>> index = Index.build([Known(1, prepare(Claim(name="深圳市蓝思科技有限公司", city="深圳", phone="13800138000")))])
>>> asked = prepare(Claim(name="深圳兰思科技", phone="138 0013 8000"))
>>> decide(asked, index.candidates(asked)[:WEIGHED], index.hot).verdict
'duplicate'
"""

from channel.deals.matching.deciding import Frequencies, Hot, Known, decide
from channel.deals.matching.decision import DEFAULT, Decision, Reason, Thresholds, Verdict, replay
from channel.deals.matching.explaining import sentence
from channel.deals.matching.index import Index
from channel.deals.matching.keys import CANDIDATES, CAP, POINTS, WEIGHED, WEIGHTS, common_keys, counted_keys, keys_of
from channel.deals.matching.prepared import VERSION, Claim, Prepared, StaleVersion, load_all, load_prepared, prepare

__all__ = [
    "CANDIDATES",
    "CAP",
    "DEFAULT",
    "POINTS",
    "VERSION",
    "WEIGHED",
    "WEIGHTS",
    "Claim",
    "Decision",
    "Frequencies",
    "Hot",
    "Index",
    "Known",
    "Prepared",
    "Reason",
    "StaleVersion",
    "Thresholds",
    "Verdict",
    "common_keys",
    "counted_keys",
    "decide",
    "keys_of",
    "load_all",
    "load_prepared",
    "prepare",
    "replay",
    "sentence",
]
