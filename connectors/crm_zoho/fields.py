"""The fields of each module that the hub reads and writes, in the vendor's API names, with their types.

Standard fields are those of API v8; the custom ones are created once per organisation, as docs/connectors/crm_zoho.md lists them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.base import FieldInfo

MONEY, PRICE, NUMBER = -1, -2, -3
"""Stand for the organisation's decimal places of amounts, of unit prices and of plain numbers; filled in by `streams`."""


def _text(name: str, label: str, length: int = 255, *, required: bool = False, personal: bool = False) -> FieldInfo:
    return FieldInfo(name, label, "text", length=length, required=required, personal=personal)


def _money(name: str, label: str, *, writable: bool = True) -> FieldInfo:
    return FieldInfo(name, label, "decimal", scale=MONEY, writable=writable)


def _price(name: str, label: str) -> FieldInfo:
    return FieldInfo(name, label, "decimal", scale=PRICE)


def _number(name: str, label: str, *, writable: bool = True) -> FieldInfo:
    return FieldInfo(name, label, "decimal", scale=NUMBER, writable=writable)


def _whole(name: str, label: str, *, writable: bool = True) -> FieldInfo:
    return FieldInfo(name, label, "integer", writable=writable)


def _date(name: str, label: str, *, required: bool = False) -> FieldInfo:
    return FieldInfo(name, label, "date", required=required)


def _flag(name: str, label: str) -> FieldInfo:
    return FieldInfo(name, label, "boolean")


def _choice(name: str, label: str, *options: str, required: bool = False) -> FieldInfo:
    return FieldInfo(name, label, "enum", options=options, required=required)


def _link(name: str, label: str, stream: str, *, required: bool = False) -> FieldInfo:
    return FieldInfo(name, label, "reference", refers_to=stream, required=required)


SYSTEM: Sequence[FieldInfo] = (
    FieldInfo("id", "编号 Record id", "text", writable=False, length=20),
    FieldInfo("Created_Time", "创建时间 Created", "datetime", writable=False),
    FieldInfo("Modified_Time", "修改时间 Modified", "datetime", writable=False),
)
OWNER = FieldInfo("Owner", "负责人 Owner", "reference", refers_to="users")

STAGES = ("Qualification", "Needs Analysis", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost")
QUOTE_STAGES = ("Draft", "Negotiation", "Delivered", "On Hold", "Confirmed", "Closed Won", "Closed Lost")


def _lines(subform: str, *extra: FieldInfo) -> Sequence[FieldInfo]:
    own = (
        FieldInfo("id", "行号 Row id", "text", writable=False, length=20),
        _link("Product_Name", "产品 Product", "products", required=True),
        _number("Quantity", "数量 Quantity"),
        _price("List_Price", "含税单价 Price, tax included"),
        _money("Discount", "折扣额 Discount"),
        FieldInfo("Line_Tax", "税 Taxes", "list"),
        _text("Description", "说明 Description", 2000),
        _whole("Sequence_Number", "序号 Sequence", writable=False),
        _money("Total", "金额 Total", writable=False),
        *extra,
    )
    return [
        FieldInfo(
            f"{subform}.{info.name}",
            info.label,
            info.type,
            required=info.required,
            writable=info.writable,
            length=info.length,
            scale=info.scale,
            refers_to=info.refers_to,
        )
        for info in own
    ]


FIELDS: Mapping[str, Sequence[FieldInfo]] = {
    "accounts": (
        _text("Account_Name", "客户名称 Account name", 200, required=True),
        _text("Phone", "电话 Phone", 30),
        _text("Website", "网站 Website", 450),
        _text("Billing_Street", "街道 Street", 250),
        _text("Billing_City", "城市 City", 100),
        _text("Billing_State", "省份 Province", 100),
        _text("Billing_Code", "邮编 Postcode", 30),
        _text("Billing_Country", "国家 Country", 100),
        _choice("Industry", "行业 Industry"),
        _choice("Account_Type", "客户类型 Account type"),
        _text("Description", "备注 Description", 32000),
        OWNER,
        FieldInfo("Tag", "标签 Tags", "list"),
        _text("USCC", "统一社会信用代码 Unified social credit code", 18),
        _text("ERP_Code", "ERP 客户编码 Customer number in the ERP", 80),
        _text("Short_Name", "简称 Short name", 100),
        _choice("Dealer_Level", "经销商级别 Dealer level", "核心", "普通", "潜在"),
        _choice("Channel_Type", "渠道类型 Channel type", "省代", "市代", "二级"),
        _money("Credit_Limit", "信用额度 Credit limit"),
        _text("Payment_Terms", "付款条件 Payment terms", 100),
        _text("Email_Address", "邮箱 Email", 100),
        _text("Salesperson_Code", "业务员 Salesperson", 50),
        _choice("Status_Code", "状态 Status", "Active", "Blocked"),
    ),
    "contacts": (
        _text("Last_Name", "姓 Last name", 80, required=True, personal=True),
        _text("First_Name", "名 First name", 40, personal=True),
        _link("Account_Name", "客户 Account", "accounts"),
        _text("Email", "邮箱 Email", 100, personal=True),
        _text("Phone", "电话 Phone", 50, personal=True),
        _text("Mobile", "手机 Mobile", 30, personal=True),
        _text("Title", "职务 Title", 100),
        OWNER,
        _text("ERP_Code", "ERP 联系人编码 Contact number in the ERP", 80),
    ),
    "leads": (
        _text("Last_Name", "姓 Last name", 80, required=True, personal=True),
        _text("First_Name", "名 First name", 40, personal=True),
        _text("Company", "公司 Company", 200, required=True),
        _text("Email", "邮箱 Email", 100, personal=True),
        _text("Mobile", "手机 Mobile", 30, personal=True),
        _choice("Lead_Source", "线索来源 Source"),
        _choice("Lead_Status", "线索状态 Status"),
        _choice("Industry", "行业 Industry"),
        _text("Description", "备注 Description", 32000),
        OWNER,
    ),
    "products": (
        _text("Product_Name", "产品名称 Product name", 200, required=True),
        _text("Product_Code", "产品编码 Product code", 40),
        _price("Unit_Price", "单价 Unit price"),
        _choice("Usage_Unit", "单位 Unit"),
        _choice("Product_Category", "类别 Category"),
        _flag("Product_Active", "启用 Active"),
        _number("Qty_in_Stock", "库存 In stock"),
        _text("Description", "备注 Description", 32000),
        OWNER,
        _text("Specification", "规格 Specification", 255),
        _text("Barcode", "条码 Barcode", 80),
        _number("Tax_Rate", "税率% Tax rate in percent"),
    ),
    "price_books": (
        _text("Price_Book_Name", "价格表 Price book", 200, required=True),
        _flag("Active", "启用 Active"),
        _choice("Pricing_Model", "定价方式 Pricing model", "Flat", "Differential"),
        FieldInfo("Pricing_Details", "分段折扣 Ranges and discounts", "list"),
        _text("Description", "备注 Description", 32000),
        OWNER,
        _text("ERP_Code", "ERP 价目表编码 Price list number in the ERP", 80),
        _text("Currency_Code", "币别 Currency", 10),
        _date("Valid_From", "生效日 Valid from"),
        _date("Valid_To", "失效日 Valid to"),
        _choice("Tax_Side", "含税方式 Prices include tax or not", "含税", "不含税"),
        FieldInfo("Products", "产品价格 Prices of products", "list"),
        FieldInfo("Products.id", "产品 Product", "text", length=20),
        _price("Products.list_price", "价格 Price"),
    ),
    "deals": (
        _text("Deal_Name", "商机名称 Deal name", 120, required=True),
        _choice("Stage", "阶段 Stage", *STAGES, required=True),
        _choice("Pipeline", "销售流程 Pipeline"),
        _money("Amount", "金额 Amount"),
        _date("Closing_Date", "预计成交日 Closing date", required=True),
        _link("Account_Name", "最终客户 Account", "accounts"),
        _link("Contact_Name", "联系人 Contact", "contacts"),
        _whole("Probability", "赢率 Probability"),
        _choice("Lead_Source", "来源 Source"),
        _text("Next_Step", "下一步 Next step", 100),
        _text("Description", "备注 Description", 32000),
        OWNER,
        _link("Dealer", "经销商 Dealer", "accounts"),
        _text("Company_Code", "公司 Company", 20),
        _text("Salesperson_Code", "业务员 Salesperson", 50),
        _text("ERP_Order_No", "ERP 订单号 Order number in the ERP", 80),
        _text("Product_Line", "产品线 Product line", 80),
        _text("Protection_State", "报备状态 Protection", 40),
        _date("Protected_Until", "保护至 Protected until"),
        _text("Refusal_Reason", "未通过原因 Why it is not protected", 255),
        _flag("Deal_Conflict", "撞单 Conflict"),
    ),
    "quotes": (
        _text("Subject", "主题 Subject", 120, required=True),
        _choice("Quote_Stage", "报价阶段 Stage", *QUOTE_STAGES),
        _link("Deal_Name", "商机 Deal", "deals"),
        _link("Account_Name", "客户 Account", "accounts", required=True),
        _link("Contact_Name", "联系人 Contact", "contacts"),
        _date("Valid_Till", "有效期至 Valid till"),
        _money("Grand_Total", "总额 Grand total", writable=False),
        _text("Description", "备注 Description", 32000),
        OWNER,
        _text("Hub_Quote_No", "报价单号 Number of the hub's quote", 40),
        _whole("Revision", "版本 Revision"),
        _text("Company_Code", "公司 Company", 20),
        _text("Salesperson_Code", "业务员 Salesperson", 50),
        _date("Delivery_Date", "交货日 Delivery date"),
        _text("Discount_Reason", "折扣原因 Reason of the discount", 255),
        _text("ERP_Order_No", "ERP 订单号 Order number in the ERP", 80),
        _text("ERP_Order_Status", "ERP 订单状态 Order status in the ERP", 80),
        FieldInfo("Quoted_Items", "报价明细 Lines", "list", required=True),
        *_lines("Quoted_Items", _text("Hub_Line", "集成行主键 Hub line key", 36)),
    ),
    "sales_orders": (
        _text("Subject", "主题 Subject", 120, required=True),
        _choice("Status", "状态 Status"),
        _link("Account_Name", "客户 Account", "accounts", required=True),
        _link("Deal_Name", "商机 Deal", "deals"),
        _link("Quote_Name", "报价 Quote", "quotes"),
        _date("Due_Date", "到期日 Due date"),
        _money("Grand_Total", "总额 Grand total", writable=False),
        _text("Description", "备注 Description", 32000),
        OWNER,
        _text("ERP_Order_No", "ERP 订单号 Order number in the ERP", 80),
        _date("Order_Date", "订单日期 Order date"),
        _text("Company_Code", "公司 Company", 20),
        _text("Salesperson_Code", "业务员 Salesperson", 50),
        _text("Currency_Code", "币别 Currency", 10),
        _money("Net_Amount", "不含税金额 Net amount"),
        _money("Tax_Amount", "税额 Tax amount"),
        _money("Total_Amount", "价税合计 Total amount"),
        _text("Approval_Status", "审批状态 Approval status", 50),
        _text("Business_Status", "业务状态 Business status", 50),
        _number("Shipped_Quantity", "已发货数量 Shipped quantity"),
        _text("Shipping_State", "发货状态 Shipping state", 50),
        _money("Paid_Amount", "已收款 Paid amount"),
        _text("Payment_State", "收款状态 Payment state", 50),
        FieldInfo("Ordered_Items", "订单明细 Lines", "list", required=True),
        *_lines(
            "Ordered_Items", _text("Hub_Line", "集成行主键 Hub line key", 36), _number("Shipped_Quantity", "已发货数量 Shipped quantity")
        ),
    ),
    "invoices": (
        _text("Subject", "主题 Subject", 120, required=True),
        _link("Account_Name", "客户 Account", "accounts", required=True),
        _link("Sales_Order", "订单 Sales order", "sales_orders"),
        _date("Invoice_Date", "日期 Date"),
        _date("Due_Date", "到期日 Due date"),
        _choice("Status", "状态 Status"),
        _money("Grand_Total", "总额 Grand total", writable=False),
        _text("Description", "备注 Description", 32000),
        OWNER,
        _text("ERP_Bill_No", "ERP 应收单号 Receivable number in the ERP", 80),
        _text("Company_Code", "公司 Company", 20),
        _text("Currency_Code", "币别 Currency", 10),
        _money("Total_Amount", "价税合计 Total amount"),
        _text("Approval_Status", "审批状态 Approval status", 50),
        FieldInfo("Invoiced_Items", "发票明细 Lines", "list"),
        *_lines("Invoiced_Items"),
    ),
    "shipments": (
        _text("Name", "出库单 Shipment", 120, required=True),
        _link("Account", "客户 Account", "accounts"),
        _link("Sales_Order", "订单 Sales order", "sales_orders"),
        _date("Shipped_On", "发货日 Shipped on"),
        _text("Company_Code", "公司 Company", 20),
        _text("Carrier", "承运商 Carrier", 100),
        _text("Tracking_Number", "运单号 Tracking number", 100),
        _number("Quantity", "数量 Quantity"),
        _text("Approval_Status", "审批状态 Approval status", 50),
        _text("ERP_Bill_No", "ERP 出库单号 Shipment number in the ERP", 80),
        OWNER,
    ),
    "receipts": (
        _text("Name", "收款单 Receipt", 120, required=True),
        _link("Account", "客户 Account", "accounts"),
        _link("Sales_Order", "订单 Sales order", "sales_orders"),
        _date("Received_On", "收款日 Received on"),
        _text("Company_Code", "公司 Company", 20),
        _text("Currency_Code", "币别 Currency", 10),
        _money("Amount", "金额 Amount"),
        _text("Approval_Status", "审批状态 Approval status", 50),
        _text("ERP_Bill_No", "ERP 收款单号 Receipt number in the ERP", 80),
        OWNER,
    ),
}
"""Fields by stream, without those that every module has (`SYSTEM` and the hub key)."""
