"""What a person types to connect one Zoho CRM organisation."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic.config import JsonDict


def _base(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be a plain address such as https://www.zohoapis.com.cn")
    return url.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_base)]
_SECRET: JsonDict = {"secret": True}


class ZohoSettings(BaseModel):
    """Settings of one Zoho CRM organisation. Field and module names are API names, which do not change when a label does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accounts_url: BaseUrl = Field(
        "https://accounts.zoho.com.cn",
        title="Sign-in address of the data centre 登录地址",
        examples=["https://accounts.zoho.com.cn", "https://accounts.zoho.eu"],
    )
    api_domain: BaseUrl = Field(
        "https://www.zohoapis.com.cn",
        title="API address of the same data centre 接口地址",
        examples=["https://www.zohoapis.com.cn", "https://sandbox.zohoapis.com.cn"],
    )
    upload_url: BaseUrl = Field(
        "https://content.zohoapis.com.cn", title="File upload address 上传地址", examples=["https://content.zohoapis.com.cn"]
    )
    version: str = Field("v8", title="API version 接口版本", examples=["v8"], pattern=r"^v\d+(\.\d+)?$")
    client_id: str = Field(title="Client id of the self client 客户端编号", examples=["1000.ABCDEFGHIJ"], min_length=1)
    client_secret: SecretStr = Field(title="Client secret 客户端密钥", json_schema_extra=_SECRET, examples=["{env: ZOHO_CLIENT_SECRET}"])
    refresh_token: SecretStr = Field(title="Refresh token 刷新令牌", json_schema_extra=_SECRET, examples=["{env: ZOHO_REFRESH_TOKEN}"])
    org_id: str = Field("", title="Organisation id, needed for bulk upload only 组织编号", examples=["60012345678"])

    hub_key_field: str = Field("Hub_Key", title="Unique custom text field that carries the hub's key 主键字段", examples=["Hub_Key"])
    hub_line_field: str = Field(
        "Hub_Line", title="Custom text field of order lines that carries the hub's line key 行主键字段", examples=["Hub_Line"]
    )
    modules: dict[str, str] = Field(
        default_factory=dict,
        title="Module API name by stream, where it is not the usual one 模块名称",
        examples=[{"shipments": "Shipments1", "receipts": "Payments_In"}],
    )
    streams: list[str] = Field(default_factory=list, title="Streams to use; empty: all 启用的数据流", examples=[["accounts", "deals"]])
    fields: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        title="Field API name by stream and usual name, where this organisation has another one; empty: it has none 字段名称",
        examples=[{"accounts": {"USCC": "Tax_Number", "Credit_Limit": ""}}],
    )
    extra_fields: dict[str, list[str]] = Field(
        default_factory=dict, title="Further custom fields to read, by stream 附加字段", examples=[{"accounts": ["Coverage_Area"]}]
    )
    currency_scale: int = Field(2, title="Decimal places of amounts 金额小数位", ge=0, le=9, examples=[2])
    price_scale: int = Field(4, title="Decimal places of unit prices 单价小数位", ge=0, le=9, examples=[4])
    number_scale: int = Field(4, title="Decimal places of quantities and other numbers 数量小数位", ge=0, le=9, examples=[4])
    time_zone: str = Field("Asia/Shanghai", title="Zone of business dates 业务时区", examples=["Asia/Shanghai"])

    overlap_s: int = Field(
        300, title="How far behind its position an increment reads again, for late rows 重叠时间（秒）", ge=0, le=86400, examples=[300]
    )
    page_size: int = Field(200, title="Records of one list call 每页记录数", ge=1, le=200, examples=[200])
    read_route: Literal["list", "coql"] = Field(
        "list", title="How increments of modules without lines are read 读取方式", examples=["list"]
    )
    lines_route: Literal["list", "record"] = Field(
        "list", title="Where lines come from: the list call, or one call per record 明细读取方式", examples=["list"]
    )
    book_prices: Literal["changed", "always"] = Field(
        "changed",
        title="Whose product prices an increment reads: of price books that show a change, or of all 价格表明细读取范围",
        examples=["changed"],
    )
    first_load: Literal["list", "bulk"] = Field("list", title="How modules without lines are first read 首次加载", examples=["list"])
    find_route: Literal["coql", "search"] = Field(
        "coql", title="How records are found by the hub's key; search lags behind 查找方式", examples=["coql"]
    )
    search_lag_s: float = Field(60.0, title="How far the search index may lag 搜索延迟（秒）", ge=0, examples=[60])

    notification_token: SecretStr | None = Field(
        None,
        title="Secret of callbacks, up to 50 characters 回调令牌",
        json_schema_extra=_SECRET,
        examples=["{env: ZOHO_TOKEN}"],
    )
    notification_token_previous: SecretStr | None = Field(
        None,
        title="The secret before the last change, accepted until it is removed 旧回调令牌",
        json_schema_extra=_SECRET,
        examples=["{env: ZOHO_TOKEN_OLD}"],
    )
    notify_url: str = Field("", title="Public address of the hub's callback 回调地址", examples=["https://hub.example.com/v1/hooks/zoho"])
    channel_id: str = Field(
        "1000000068001", title="Number of the notification channel 通道编号", pattern=r"^\d{1,19}$", examples=["1000000068001"]
    )
