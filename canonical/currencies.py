"""Currencies (ISO 4217): their codes, and how many decimals their amounts have.

Three capitals alone are no currency, and a slip of the pen (CNX, XYZ) would be another one for ever.

>>> "CNY" in CODES, "XYZ" in CODES, instead("RMB"), places("JPY"), places("CNY")
(True, False, 'CNY', 0, 2)
"""

from __future__ import annotations

from typing import Final

_MONEY: Final = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK
    DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS
    KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
    OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP
    TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
"""Money of a country or a union of them."""
_UNITS: Final = "BOV CHE CHW CLF COU MXV USN UYI UYW XDR XSU XUA"
"""Units of account that contracts are priced in."""
_GONE: Final = """
    AFA ANG ATS AZM BEF BGN BYR CSD CUC CYP DEM ECS EEK ESP FIM FRF GHC GRD HRK IEP ITL LTL LUF LVL MGF MRO MTL MZM NLG PTE ROL SDD SIT
    SKK SLL SRG STD TJR TMM TPE TRL VEB VEF YUM ZMK ZWD ZWL ZWR
"""
"""Withdrawn since 2000: documents of those years are in them."""
CODES: Final = frozenset(f"{_MONEY} {_UNITS} {_GONE}".split())
"""All codes that a document since 2000 can be in. No metals, no code for tests (XTS) or for no currency (XXX)."""
_WHOLE: Final = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
"""Without a smaller unit."""
_THOUSANDTHS: Final = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
"""Whose smaller unit is a thousandth."""
CALLED: Final = {"RMB": "CNY", "CNH": "CNY", "NTD": "TWD", "STG": "GBP", "UKP": "GBP"}
"""What people write for a currency, and its code."""


def instead(text: str) -> str:
    """What to write instead of a text that is no code."""
    return CALLED.get(text.upper(), "a code of three letters, such as CNY")


def places(currency: str) -> int:
    """Decimals of an amount in a currency, by its smallest unit: 2 but for a few."""
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2
