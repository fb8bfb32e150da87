"""What a person types to connect one Kingdee data centre."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, HttpUrl, SecretStr, model_validator

SignIn = Literal["signed", "app_secret", "app_sign", "password"]
"""`signed`: every request is signed, no log-in. The others log in once and keep a session: with the app's secret, with a signature
made from it (the secret itself is not sent), or with the user's password."""

_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone; write one like Asia/Shanghai")
    return name


def _typed(title: str, example: Any, *names: str, secret: bool = False, **more: Any) -> Any:
    extra: dict[str, Any] = {"secret": True} if secret else {}
    return Field(title=title, examples=[example], json_schema_extra=extra, validation_alias=AliasChoices(*names), **more)


class KingdeeSettings(BaseModel):
    """One integration user of one data centre (账套). The vendor console's own names (`ServerUrl`, `AcctId`, ...) are understood too."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)

    server_url: HttpUrl = _typed("服务器地址 Server address", "https://erp.example.com/k3cloud/", "server_url", "ServerUrl")
    acct_id: str = _typed("数据中心标识 Data centre id", "5f0c1d2e3a4b5c", "acct_id", "AcctId", min_length=1)
    user_name: str = _typed("集成用户 Integration user", "integration", "user_name", "UserName", min_length=1)
    sign_in: SignIn = _typed("登录方式 How to sign in", "signed", "sign_in", default="signed")
    app_id: str = _typed("应用ID App id", "220001_MTI2MGM1Pj9qPDk/OT04KHMiKnd0IXMr", "app_id", "AppId", default="")
    app_secret: SecretStr = _typed("应用密钥 App secret", "…", "app_secret", "AppSecret", secret=True, default=SecretStr(""))
    password: SecretStr = _typed("密码 Password", "…", "password", "Password", secret=True, default=SecretStr(""))
    lcid: Literal[2052, 1033, 3076] = _typed("语言 Language: 2052 简体, 1033 English, 3076 繁體", 2052, "lcid", "LCID", default=2052)
    org_number: str = _typed(
        "登录组织编码 Organisation to sign in with; empty: the user's own",
        "100",
        "org_number",
        "OrgNum",
        default="",
        coerce_numbers_to_str=True,
    )
    organisations: tuple[str, ...] = _typed(
        "同步的组织编码 Organisations to read; empty: all that the user may see", ["100", "200"], "organisations", default=()
    )
    custom_fields: dict[str, Annotated[str, Field(pattern=rf"{_NAME}|^$")]] = _typed(
        "自定义字段的标识 This tenant's key for each custom field of the hub; empty text: it has none",
        {"F_HUB_KEY": "F_ABCD_HubKey"},
        "custom_fields",
        default_factory=dict,
    )
    base_data_saved_while_audited: bool = _typed(
        "已审核的基础资料可修改 Base data may be saved while audited", True, "base_data_saved_while_audited", default=True
    )
    page_size: int = _typed("每次查询行数 Rows per query", 2000, "page_size", default=2000, ge=10, le=10_000)
    batch_size: int = _typed("每次保存单据数 Records per save", 50, "batch_size", default=50, ge=1, le=500)
    overlap_s: int = _typed(
        "重叠时间（秒） How far behind its position an increment reads again, for late rows", 300, "overlap_s", default=300, ge=0, le=86_400
    )
    timezone: Annotated[str, AfterValidator(_known_zone)] = _typed(
        "服务器时区 Time zone of the server", "Asia/Shanghai", "timezone", default="Asia/Shanghai"
    )
    event_secret: SecretStr = _typed(
        "事件密钥 Secret that the event plug-in signs with; empty: no events are taken",
        "…",
        "event_secret",
        secret=True,
        default=SecretStr(""),
    )

    @model_validator(mode="after")
    def _has_what_its_sign_in_needs(self) -> Self:
        if self.sign_in == "password":
            if not self.password.get_secret_value():
                raise ValueError("sign_in: password needs `password`")
        elif not self.app_id or not self.app_secret.get_secret_value():
            raise ValueError(f"sign_in: {self.sign_in} needs `app_id` and `app_secret`")
        if self.sign_in == "signed" and [len(part) for part in self.app_id.split("_")][1:] != [32]:
            raise ValueError("`app_id` must be <client id>_<32 characters>, as the console shows it; signing does not work with another")
        return self

    @property
    def base_url(self) -> str:
        """The server's address with exactly one slash at its end."""
        return str(self.server_url).rstrip("/") + "/"

    @property
    def zone(self) -> ZoneInfo:
        """The zone that the server's times are in; it writes none."""
        return ZoneInfo(self.timezone)
