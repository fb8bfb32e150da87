"""Documents of Kingdee: from the order to the refund and the credit memo, as forms with keys and fields. Customer keys differ by form."""

from __future__ import annotations

from connectors.erp_kingdee.forms import Form, fields

_DOCUMENT = """
FDocumentStatus  e ! 单据状态 Document status
FCancelStatus    e ! 作废状态 Void
FModifyDate      dt ! 修改日期 Changed
"""

SALES_ORDERS = Form(
    stream="sales_orders",
    form="SAL_SaleOrder",
    title="销售订单 Sales orders",
    pk="FID",
    number="FBillNo",
    org="FSaleOrgId.FNumber",
    modified="FModifyDate",
    approved="FApproveDate",
    created="FCreateDate",
    dated="FDate",
    status="FDocumentStatus",
    entity="FSaleOrderEntry",
    entry="FEntryID",
    hub_key="F_HUB_KEY",
    hub_line="F_HUB_LINE",
    writable=True,
    sub_heads=("FSaleOrderFinance",),
    head=fields(
        """
    FBillNo                                   t(80) 单据编号 Number
    FBillTypeID.FNumber                       r(BOS_BillType) 单据类型 Bill type
    FDate                                     d * 日期 Date
    FSaleOrgId.FNumber                        r(ORG_Organizations) * 销售组织 Sales organisation
    FCustId                                   k(BD_Customer) 客户 Customer
    FCustId.FNumber                           r(BD_Customer) * 客户 Customer
    FSaleDeptId                               k(BD_Department) 销售部门 Department
    FSaleDeptId.FNumber                       r(BD_Department) 销售部门 Department
    FSalerId                                  k(BD_Saler) 销售员 Salesperson
    FSalerId.FNumber                          r(BD_Saler) * 销售员 Salesperson
    FReceiveId                                k(BD_Customer) 收货方 Ship-to party
    FReceiveId.FNumber                        r(BD_Customer) 收货方 Ship-to party
    FSettleId                                 k(BD_Customer) 结算方 Settlement party
    FSettleId.FNumber                         r(BD_Customer) 结算方 Settlement party
    FChargeId                                 k(BD_Customer) 付款方 Payer
    FChargeId.FNumber                         r(BD_Customer) 付款方 Payer
    FReceiveAddress                           t(255) 收货地址 Ship-to address
    FNote                                     t(255) 备注 Remark
    FNetOrderBillNo                           t(80) 移动销售订单号 Outside order number
    FVersionNo                                t(10) ! 版本号 Version
    FCloseStatus                              e ! 关闭状态 Closed
    FApproveDate                              dt ! 审核日期 Audited
    FCreateDate                               dt ! 创建日期 Created
    FBillAmount                               n(2) ! 金额 Net amount
    FBillTaxAmount                            n(2) ! 税额 Tax
    FBillAllAmount                            n(2) ! 价税合计 Total
    FSaleOrderFinance.FSettleCurrId.FNumber   r(BD_Currency) * 结算币别 Currency
    FSaleOrderFinance.FIsIncludedTax          b 含税 Prices include tax
    FSaleOrderFinance.FExchangeRate           n 汇率 Exchange rate
    FSaleOrderFinance.FRecConditionId.FNumber r(BD_RecCondition) 收款条件 Payment terms
    FSaleOrderFinance.FSettleModeId.FNumber   r(BD_SETTLETYPE) 结算方式 Settlement method
    FSaleOrderFinance.FPriceListId            k(BD_SAL_PriceList) 价目表 Price list
    FSaleOrderFinance.FPriceListId.FNumber    r(BD_SAL_PriceList) 价目表 Price list
    F_HUB_KEY                                 t(20) 中台主键 Hub key
    F_HUB_QUOTE                               t(80) 报价单号 Quote
    """
        + _DOCUMENT
    ),
    lines=fields("""
    FMaterialId          k(BD_MATERIAL) 物料 Material
    FMaterialId.FNumber  r(BD_MATERIAL) * 物料 Material
    FUnitID.FNumber      r(BD_UNIT) * 单位 Unit
    FQty                 n * 数量 Quantity
    FPrice               n 单价 Net price
    FTaxPrice            n 含税单价 Price with tax
    FEntryTaxRate        n 税率% Tax rate, percent
    FDiscountRate        n 折扣率% Discount rate, percent
    FDiscount            n(2) 折扣额 Discount
    FAmount              n(2) ! 金额 Net amount
    FEntryTaxAmount      n(2) ! 税额 Tax
    FAllAmount           n(2) ! 价税合计 Total
    FDeliveryDate        d * 要货日期 Wanted on
    FIsFree              b 赠品 Free of charge
    FEntryNote           t(255) 备注 Remark
    FMrpCloseStatus      e ! 业务关闭 Closed
    FStockOutQty         n ! 累计出库 Shipped quantity
    F_HUB_LINE           t(36) 中台行号 Hub line key
    """),
    depends_on=("customers", "products", "employees", "departments", "price_lists"),
)
SHIPMENTS = Form(
    stream="shipments",
    form="SAL_OUTSTOCK",
    title="销售出库单 Shipments",
    pk="FID",
    number="FBillNo",
    org="FSaleOrgId.FNumber",
    modified="FModifyDate",
    approved="FApproveDate",
    dated="FDate",
    status="FDocumentStatus",
    entity="FEntity",
    entry="FENTRYID",
    head=fields(
        """
    FBillNo              t(80) 单据编号 Number
    FDate                d 日期 Date
    FBillTypeID.FNumber  r(BOS_BillType) 单据类型 Bill type
    FSaleOrgId.FNumber   r(ORG_Organizations) 销售组织 Sales organisation
    FStockOrgId.FNumber  r(ORG_Organizations) 发货组织 Stock organisation
    FCustomerID          k(BD_Customer) 客户 Customer
    FCustomerID.FNumber  r(BD_Customer) 客户 Customer
    FCarrierID.FNumber   r(BD_Supplier) 承运商 Carrier
    FCarriageNO          t(80) 运输单号 Waybill
    FReceiveAddress      t(255) 收货地址 Ship-to address
    FNote                t(255) 备注 Remark
    FApproveDate         dt ! 审核日期 Audited
    """
        + _DOCUMENT
    ),
    lines=fields("""
    FMaterialID          k(BD_MATERIAL) 物料 Material
    FMaterialID.FNumber  r(BD_MATERIAL) 物料 Material
    FUnitID.FNumber      r(BD_UNIT) 单位 Unit
    FMustQty             n 应发数量 Quantity due
    FRealQty             n 实发数量 Quantity shipped
    FStockID.FNumber     r(BD_STOCK) 仓库 Warehouse
    FLot.FNumber         r(BD_BatchMainFile) 批号 Lot
    FSoorDerno           t(80) 销售订单号 Sales order
    FSOEntryId           i 销售订单行 Line of the sales order
    FIsFree              b 赠品 Free of charge
    FTaxPrice            n 含税单价 Price with tax
    """),
    depends_on=("sales_orders",),
)
RETURNS = Form(
    stream="returns",
    form="SAL_RETURNSTOCK",
    title="销售退货单 Returns",
    pk="FID",
    number="FBillNo",
    org="FSaleOrgId.FNumber",
    modified="FModifyDate",
    approved="FApproveDate",
    dated="FDate",
    status="FDocumentStatus",
    entity="FEntity",
    entry="FENTRYID",
    sub_heads=("SubHeadEntity",),
    head=fields(
        """
    FBillNo                              t(80) 单据编号 Number
    FDate                                d 日期 Date
    FSaleOrgId.FNumber                   r(ORG_Organizations) 销售组织 Sales organisation
    FStockOrgId.FNumber                  r(ORG_Organizations) 库存组织 Stock organisation
    FRetcustId                           k(BD_Customer) 退货客户 Customer
    FRetcustId.FNumber                   r(BD_Customer) 退货客户 Customer
    FReturnReason                        t(255) 退货原因 Reason
    FHeadNote                            t(255) 备注 Remark
    SubHeadEntity.FSettleCurrId.FNumber  r(BD_Currency) 结算币别 Currency
    """
        + _DOCUMENT
    ),
    lines=fields("""
    FMaterialId          k(BD_MATERIAL) 物料 Material
    FMaterialId.FNumber  r(BD_MATERIAL) 物料 Material
    FUnitID.FNumber      r(BD_UNIT) 单位 Unit
    FRealQty             n 实退数量 Quantity returned
    FTaxPrice            n 含税单价 Price with tax
    FAllAmount           n(2) 价税合计 Total
    FStockId.FNumber     r(BD_STOCK) 仓库 Warehouse
    FOrderNo             t(80) 销售订单号 Sales order
    FSOEntryId           i 销售订单行 Line of the sales order
    FSrcBillNo           t(80) 源单编号 Source document
    """),
    depends_on=("shipments",),
)
RECEIVABLES = Form(
    stream="receivables",
    form="AR_receivable",
    title="应收单 Receivables",
    pk="FID",
    number="FBillNo",
    org="FSETTLEORGID.FNumber",
    modified="FModifyDate",
    approved="FApproveDate",
    dated="FDATE",
    status="FDOCUMENTSTATUS",
    entity="FEntityDetail",
    entry="FEntryID",
    sub_heads=("FsubHeadFinc",),
    head=fields("""
    FBillNo                       t(80) 单据编号 Number
    FDATE                         d 业务日期 Date
    FENDDATE_H                    d 到期日 Due
    FBillTypeID.FNumber           r(BOS_BillType) 单据类型 Bill type
    FSetAccountType               e 立账类型 Kind: 3 is the financial receivable
    FCUSTOMERID                   k(BD_Customer) 客户 Customer
    FCUSTOMERID.FNumber           r(BD_Customer) 客户 Customer
    FCURRENCYID.FNumber           r(BD_Currency) 币别 Currency
    FSETTLEORGID.FNumber          r(ORG_Organizations) 结算组织 Settlement organisation
    FSALEORGID.FNumber            r(ORG_Organizations) 销售组织 Sales organisation
    FALLAMOUNTFOR                 n(2) ! 价税合计 Total
    FsubHeadFinc.FTaxAmountFor    n(2) ! 税额 Tax
    FsubHeadFinc.FNoTaxAmountFor  n(2) ! 不含税金额 Net amount
    FWRITTENOFFSTATUS             e ! 核销状态 Matched
    FAR_Remark                    t(255) 备注 Remark
    FDOCUMENTSTATUS               e ! 单据状态 Document status
    FCancelStatus                 e ! 作废状态 Void
    FModifyDate                   dt ! 修改日期 Changed
    """),
    lines=fields("""
    FMATERIALID          k(BD_MATERIAL) 物料 Material
    FMATERIALID.FNumber  r(BD_MATERIAL) 物料 Material
    FPriceQty            n 计价数量 Quantity
    FTaxPrice            n 含税单价 Price with tax
    FEntryTaxRate        n 税率% Tax rate, percent
    FNoTaxAmountFor_D    n(2) 不含税金额 Net amount
    FTAXAMOUNTFOR_D      n(2) 税额 Tax
    FALLAMOUNTFOR_D      n(2) 价税合计 Total
    FRECEIVEAMOUNT       n(2) ! 已结算金额 Settled
    FORDERNUMBER         t(80) 销售订单号 Sales order
    FSourceBillNo        t(80) 源单编号 Source document
    """),
    depends_on=("sales_orders", "shipments"),
)
RECEIPTS = Form(
    stream="receipts",
    form="AR_RECEIVEBILL",
    title="收款单 Receipts",
    pk="FID",
    number="FBillNo",
    org="FSETTLEORGID.FNumber",
    modified="FModifyDate",
    approved="FApproveDate",
    dated="FDATE",
    status="FDOCUMENTSTATUS",
    entity="FRECEIVEBILLENTRY",
    entry="FEntryID",
    hub_key="FTHIRDBILLNO",
    writable=True,
    head=fields("""
    FBillNo               t(80) 单据编号 Number
    FDATE                 d * 业务日期 Date
    FBillTypeID.FNumber   r(BOS_BillType) 单据类型 Bill type
    FCONTACTUNITTYPE      e 往来单位类型 Kind of customer
    FCONTACTUNIT          k(BD_Customer) 往来单位 Customer
    FCONTACTUNIT.FNumber  r(BD_Customer) * 往来单位 Customer
    FCURRENCYID.FNumber   r(BD_Currency) * 币别 Currency
    FSETTLEORGID.FNumber  r(ORG_Organizations) 结算组织 Settlement organisation
    FSALEORGID.FNumber    r(ORG_Organizations) 销售组织 Sales organisation
    FPAYORGID.FNumber     r(ORG_Organizations) * 收款组织 Receiving organisation
    FEXCHANGERATE         n 汇率 Exchange rate
    FREMARK               t(255) 备注 Remark
    FDOCUMENTSTATUS       e ! 单据状态 Document status
    FCancelStatus         e ! 作废状态 Void
    FTHIRDBILLNO          t(80) 第三方单据号 Outside number, carries the hub key
    FModifyDate           dt ! 修改日期 Changed
    """),
    lines=fields("""
    FSETTLETYPEID.FNumber  r(BD_SETTLETYPE) * 结算方式 Settlement method
    FPURPOSEID.FNumber     r(CN_RECPAYPURPOSE) 收款用途 Purpose
    FRECTOTALAMOUNTFOR     n(2) 应收金额 Amount
    FRECAMOUNTFOR_E        n(2) ! 收款金额 Amount received
    FHANDLINGCHARGEFOR     n(2) 手续费 Handling charge
    FACCOUNTID.FNumber     r(CN_BANKACNT) 银行账号 Bank account
    FSALEORDERNO           t(80) 销售订单号 Sales order
    FCOMMENT               t(255) 备注 Remark
    """),
    depends_on=("customers", "sales_orders"),
)
REFUNDS = Form(
    stream="refunds",
    form="AR_REFUNDBILL",
    title="收款退款单 Refunds",
    pk="FID",
    number="FBillNo",
    org="FSETTLEORGID.FNumber",
    modified="FModifyDate",
    approved="FApproveDate",
    dated="FDATE",
    status="FDOCUMENTSTATUS",
    entity="FREFUNDBILLENTRY",
    entry="FEntryID",
    head=fields("""
    FBillNo               t(80) 单据编号 Number
    FDATE                 d 业务日期 Date
    FCONTACTUNITTYPE      e 往来单位类型 Kind of customer
    FCONTACTUNIT          k(BD_Customer) 往来单位 Customer
    FCONTACTUNIT.FNumber  r(BD_Customer) 往来单位 Customer
    FCURRENCYID.FNumber   r(BD_Currency) 币别 Currency
    FSETTLEORGID.FNumber  r(ORG_Organizations) 结算组织 Settlement organisation
    FREMARK               t(255) 备注 Remark
    FDOCUMENTSTATUS       e ! 单据状态 Document status
    FCancelStatus         e ! 作废状态 Void
    FModifyDate           dt ! 修改日期 Changed
    """),
    lines=fields("""
    FSETTLETYPEID.FNumber  r(BD_SETTLETYPE) 结算方式 Settlement method
    FREFUNDAMOUNTFOR       n(2) 应退金额 Amount
    FSALEORDERNUMBER       t(80) 销售订单号 Sales order
    FNOTE                  t(255) 备注 Remark
    """),
    depends_on=("customers", "receipts"),
)
OTHER_RECEIVABLES = Form(
    stream="other_receivables",
    form="AR_OtherRecAble",
    title="其他应收单 Other receivables",
    pk="FID",
    number="FBillNo",
    org="FSETTLEORGID.FNumber",
    modified="FModifyDate",
    approved="FApproveDate",
    created="FCreateDate",
    dated="FDATE",
    status="FDOCUMENTSTATUS",
    entity="FEntity",
    entry="FEntryID",
    hub_key="F_HUB_KEY",
    hub_line="F_HUB_LINE",
    writable=True,
    head=fields("""
    FBillNo               t(80) 单据编号 Number
    FBillTypeID.FNumber   r(BOS_BillType) 单据类型 Bill type
    FDATE                 d * 业务日期 Date
    FENDDATE_H            d 到期日 Due
    FCONTACTUNITTYPE      e 往来单位类型 Kind of customer
    FCONTACTUNIT          k(BD_Customer) 往来单位 Customer
    FCONTACTUNIT.FNumber  r(BD_Customer) * 往来单位 Customer
    FCURRENCYID.FNumber   r(BD_Currency) * 币别 Currency
    FSETTLEORGID.FNumber  r(ORG_Organizations) * 结算组织 Settlement organisation
    FSALEORGID.FNumber    r(ORG_Organizations) 销售组织 Sales organisation
    FPAYORGID.FNumber     r(ORG_Organizations) 收款组织 Receiving organisation
    FAMOUNTFOR            n(2) ! 总金额 Total; below zero: a red document
    FAR_OtherRemarks      t(255) 备注 Remark
    FDOCUMENTSTATUS       e ! 单据状态 Document status
    FCancelStatus         e ! 作废状态 Void
    FCreateDate           dt ! 创建日期 Created
    FModifyDate           dt ! 修改日期 Changed
    FApproveDate          dt ! 审核日期 Audited
    F_HUB_KEY             t(20) 中台主键 Hub key
    F_HUB_PAYOUT          t(40) 返利付款号 Payout
    F_HUB_PURPOSE         t(20) 返利用途 Purpose
    """),
    lines=fields("""
    FCOSTID.FNumber   r(BD_Expense) 费用项目 Expense item
    FEntryTaxRate     n 税率% Tax rate, percent
    FNOTAXAMOUNTFOR   n(2) 不含税金额 Net amount
    FTAXAMOUNTFOR     n(2) 税额 Tax
    FAMOUNTFOR_D      n(2) 总金额 Total
    FCOMMENT          t(255) 备注 Remark
    F_HUB_LINE        t(36) 中台行号 Hub line key
    """),
    depends_on=("customers", "sales_orders"),
)
"""Red, that is below zero, when the hub credits a dealer. Field keys as public integrations save and query them (text search of 2026-11-22:
C#, Java and Python sources that write this form); no tenant was at hand."""
