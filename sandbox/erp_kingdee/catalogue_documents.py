"""Documents: orders, notices, shipments, returns, receivables, receipts, refunds, other receivables."""

from __future__ import annotations

from sandbox.erp_kingdee.forms import Form, define

_STATE = """
FDocumentStatus e @!=A 单据状态
FCancelStatus e @!=A 作废状态
FCreateDate dt @! 创建日期
FModifyDate dt #! 最后修改日期
FApproveDate dt #! 审核日期
F_HUB_KEY t # 中台主键
"""
_LINE_MONEY = """
FPrice n 单价
FTaxPrice n 含税单价
FEntryTaxRate n 税率%
FDiscountRate n 折扣率%
FDiscount n 折扣额
FAmount n ! 金额
FEntryTaxAmount n ! 税额
FAllAmount n ! 价税合计
"""

define(
    Form("SAL_SaleOrder", "销售订单", "FID", "FBillNo", "T_SAL_ORDERENTRY", "XSDD", "FSaleOrgId"),
    """
FID i ! 内码
FBillNo t # 单据编号
FBillTypeID r:BOS_BillType @ 单据类型
FDate d *# 日期
FSaleOrgId r:ORG_Organizations *@ 销售组织
FCustId r:BD_Customer *# 客户
FSaleDeptId r:BD_Department 销售部门
FSalerId r:BD_Empinfo *@ 销售员
FReceiveId r:BD_Customer 收货方
FSettleId r:BD_Customer 结算方
FChargeId r:BD_Customer 付款方
FReceiveAddress t 收货方地址
FLinkMan t 收货人姓名
FLinkPhone t 联系电话
FNote t 备注
FNetOrderBillNo t # 移动销售订单号
FBusinessType t =NORMAL 业务类型
FVersionNo t !=000 版本号
FCloseStatus e @!=A 关闭状态
FBillAmount n ! 金额
FBillTaxAmount n ! 税额
FBillAllAmount n ! 价税合计
F_HUB_QUOTE t @ 报价单号
"""
    + _STATE
    + """
[FSaleOrderFinance SaleOrderFinance]
FSettleCurrId r:BD_Currency * 结算币别
FLocalCurrId r:BD_Currency 本位币
FIsIncludedTax b =true 是否含税
FIsPriceExcludeTax b =true 价外税
FExchangeTypeId r:BD_RateType 汇率类型
FExchangeRate n =1 汇率
FRecConditionId r:BD_RecCondition 收款条件
FSettleModeId r:BD_SETTLETYPE 结算方式
FPriceListId r:BD_SAL_PriceList 价目表
FDiscountListId r:BD_DiscountList 折扣表
[]
{FSaleOrderEntry FEntryID SaleOrderEntry} 订单明细
FRowType t =Standard 产品类型
FMaterialId r:BD_MATERIAL * 物料编码
FUnitID r:BD_UNIT * 销售单位
FQty n * 销售数量
FPriceUnitId r:BD_UNIT 计价单位
FPriceUnitQty n 计价数量
"""
    + _LINE_MONEY
    + """
FIsFree b 是否赠品
FDeliveryDate dt * 要货日期
FStockOrgId r:ORG_Organizations 库存组织
FSettleOrgIds r:ORG_Organizations 结算组织
FSupplyOrgId r:ORG_Organizations 供应组织
FOwnerTypeId t =BD_OwnerOrg 货主类型
FOwnerId r:ORG_Organizations 货主
FEntryNote t 备注
FLot r:BD_BatchMainFile 批号
FSOStockId r:BD_STOCK 仓库
FMrpCloseStatus e !=A 业务关闭
FMrpTerminateStatus e !=A 业务终止
FMrpFreezeStatus e !=A 业务冻结
FStockOutQty n ! 累计出库数量
FRemainOutQty n ! 剩余未出数量
FDeliQty n ! 累计发货通知数量
FReturnQty n ! 累计退货数量
FARQTY n ! 累计应收数量
FReceiveAmount n ! 累计收款金额
F_HUB_LINE t 中台行号
""",
)
define(
    Form("SAL_DELIVERYNOTICE", "发货通知单", "FID", "FBillNo", "T_SAL_DELIVERYNOTICEENTRY", "FHTZD", "FSaleOrgId"),
    """
FID i ! 内码
FBillNo t # 单据编号
FBillTypeID r:BOS_BillType 单据类型
FDate d *# 日期
FSaleOrgId r:ORG_Organizations *@ 销售组织
FDeliveryOrgID r:ORG_Organizations 发货组织
FCustomerID r:BD_Customer *@ 客户
FReceiveAddress t 收货方地址
FNote t 备注
FCloseStatus e @!=A 关闭状态
"""
    + _STATE
    + """
{FEntity FENTRYID SAL_DELIVERYNOTICEENTRY} 明细信息
FMaterialID r:BD_MATERIAL * 物料编码
FUnitID r:BD_UNIT * 销售单位
FQty n 销售数量
FSumOutQty n ! 累计出库数量
FOrderNo t 订单单号
FSOEntryId i 销售订单EntryId
FNoteEntry t 备注
FSrcEntryId i ! 来源分录
""",
)
define(
    Form("SAL_OUTSTOCK", "销售出库单", "FID", "FBillNo", "T_SAL_OUTSTOCKENTRY", "XSCKD", "FSaleOrgId"),
    """
FID i ! 内码
FBillNo t # 单据编号
FBillTypeID r:BOS_BillType @ 单据类型
FDate d *# 日期
FSaleOrgId r:ORG_Organizations *@ 销售组织
FStockOrgId r:ORG_Organizations *@ 发货组织
FCustomerID r:BD_Customer *# 客户
FReceiverID r:BD_Customer 收货方
FSettleID r:BD_Customer 结算方
FPayerID r:BD_Customer 付款方
FSaleDeptID r:BD_Department 销售部门
FSalesManID r:BD_Empinfo 销售员
FCarrierID r:BD_Supplier 承运商
FCarriageNO t 运输单号
FReceiveAddress t 收货方地址
FLinkMan t 收货人姓名
FLinkPhone t 联系电话
FOwnerTypeIdHead t =BD_OwnerOrg 货主类型
FNote t 备注
"""
    + _STATE
    + """
[SubHeadEntity SAL_OUTSTOCKFIN]
FSettleOrgID r:ORG_Organizations 结算组织
FSettleCurrID r:BD_Currency 结算币别
FExchangeRate n =1 汇率
FIsIncludedTax b =true 是否含税
FThirdBillNo t @ 第三方单据编号
FThirdBillId t 第三方单据ID
FBillAllAmount n ! 价税合计
[]
{FEntity FENTRYID SAL_OUTSTOCKENTRY} 明细信息
FMaterialID r:BD_MATERIAL *^FStockOrgId 物料编码
FUnitID r:BD_UNIT * 库存单位
FMustQty n 应发数量
FRealQty n * 实发数量
FPriceUnitId r:BD_UNIT 计价单位
FPriceUnitQty n 计价数量
"""
    + _LINE_MONEY
    + """
FIsFree b 是否赠品
FStockID r:BD_STOCK ^FStockOrgId 仓库
FStockStatusID t =KCZT01_SYS 库存状态
FLot r:BD_BatchMainFile 批号
FSoorDerno t 销售订单单号
FSOEntryId i 销售订单EntryId
FSrcType t 源单类型
FSrcBillNo t 源单编号
FSrcEntryId i ! 来源分录
FEntrynote t 备注
FETHIRDBILLNO t 第三方单据编号
FThirdEntryId t 第三方分录ID
FReturnQty n ! 累计退货数量
F_HUB_LINE t 中台行号
""",
    "SAL_OUTSTOCK",
)
define(
    Form("SAL_RETURNSTOCK", "销售退货单", "FID", "FBillNo", "T_SAL_RETURNSTOCKENTRY", "XSTHD", "FSaleOrgId"),
    """
FID i ! 内码
FBillNo t # 单据编号
FBillTypeID r:BOS_BillType 单据类型
FDate d *# 日期
FSaleOrgId r:ORG_Organizations *@ 销售组织
FStockOrgId r:ORG_Organizations *@ 库存组织
FRetcustId r:BD_Customer *# 退货客户
FSaledeptid r:BD_Department 销售部门
FSalesManId r:BD_Empinfo 销售员
FReturnReason t 退货原因
FHeadNote t 备注
"""
    + _STATE
    + """
[SubHeadEntity SAL_RETURNSTOCKFIN]
FSettleCurrId r:BD_Currency * 结算币别
FSettleOrgId r:ORG_Organizations 结算组织
FExchangeRate n =1 汇率
FIsIncludedTax b =true 是否含税
FThirdBillNo t @ 第三方单据编号
FBillAllAmount n ! 价税合计
[]
{FEntity FENTRYID SAL_RETURNSTOCKENTRY} 明细信息
FMaterialId r:BD_MATERIAL *^FStockOrgId 物料编码
FUnitID r:BD_UNIT * 库存单位
FMustqty n 应退数量
FRealQty n * 实退数量
"""
    + _LINE_MONEY
    + """
FIsFree b 是否赠品
FReturnType t =RETURN 退货类型
FStockId r:BD_STOCK ^FStockOrgId 仓库
FLot r:BD_BatchMainFile 批号
FOrderNo t 订单单号
FSOEntryId i 销售订单EntryId
FSrcBillNo t 源单编号
FSrcEntryId i ! 来源分录
FNote t 备注
""",
)
define(
    Form("AR_receivable", "应收单", "FID", "FBillNo", "T_AR_RECEIVABLEENTRY", "AR", "FSETTLEORGID"),
    """
FID i ! 内码
FBillNo t # 单据编号
FBillTypeID r:BOS_BillType @ 单据类型
FDATE d *# 业务日期
FENDDATE_H d @ 到期日
FSetAccountType e @=3 立账类型
FCUSTOMERID r:BD_Customer *# 客户
FCURRENCYID r:BD_Currency * 币别
FSETTLEORGID r:ORG_Organizations *@ 结算组织
FPAYORGID r:ORG_Organizations 收款组织
FSALEORGID r:ORG_Organizations @ 销售组织
FSALEDEPTID r:BD_Department 销售部门
FSALEERID r:BD_Empinfo 销售员
FPayConditon r:BD_RecCondition 收款条件
FISTAX b =true 按含税单价录入
FBUSINESSTYPE t =BZ 业务类型
FAR_Remark t 备注
FALLAMOUNTFOR n ! 价税合计
FWRITTENOFFSTATUS e !=A 核销状态
FOPENSTATUS e !=A 开票核销状态
FBYVERIFY t ! 生成方式
"""
    + _STATE
    + """
[FsubHeadSuppiler AR_RECEIVABLEREC]
FChargeId r:BD_Customer 付款方
[FsubHeadFinc AR_RECEIVABLEFIN]
FExchangeRate n =1 汇率
FTaxAmountFor n ! 税额
FNoTaxAmountFor n ! 不含税金额
FSettleTypeID r:BD_SETTLETYPE 结算方式
[]
{FEntityDetail FEntryID AP_RECEIVABLEENTRY} 明细
FMATERIALID r:BD_MATERIAL 物料编码
FPRICEUNITID r:BD_UNIT 计价单位
FPriceQty n * 计价数量
FPrice n 单价
FTaxPrice n 含税单价
FEntryTaxRate n 税率%
FEntryDiscountRate n 折扣率%
FNoTaxAmountFor_D n ! 不含税金额
FTAXAMOUNTFOR_D n ! 税额
FALLAMOUNTFOR_D n ! 价税合计
FRECEIVEAMOUNT n ! 已结算金额
FNORECEIVEAMOUNT n ! 未结算金额
FORDERNUMBER t 销售订单号
FSourceBillNo t 源单编号
FSOURCETYPE t 源单类型
FSrcEntryId i ! 来源分录
FComment t 备注
{FEntityPlan FEntryID AP_RECEIVABLEPLAN} 收款计划
FENDDATE d 到期日
FPAYRATE n =100 应收比例
FPAYAMOUNTFOR n 应收金额
""",
)
_RECEIPT_HEAD = """
FID i ! 内码
FBillNo t # 单据编号
FBillTypeID r:BOS_BillType @ 单据类型
FDATE d *# 业务日期
FCONTACTUNITTYPE t =BD_Customer 往来单位类型
FCONTACTUNIT r:BD_Customer *# 往来单位
FPAYUNITTYPE t =BD_Customer 付款单位类型
FPAYUNIT r:BD_Customer 付款单位
FCURRENCYID r:BD_Currency * 币别
FSETTLECUR r:BD_Currency 结算币别
FSETTLERATE n =1 结算汇率
FEXCHANGERATE n =1 汇率
FSETTLEORGID r:ORG_Organizations @ 结算组织
FSALEORGID r:ORG_Organizations @ 销售组织
FPAYORGID r:ORG_Organizations *@ 收款组织
FSALEDEPTID r:BD_Department 销售部门
FSALEERID r:BD_Empinfo 销售员
FREMARK t 备注
FTHIRDBILLNO t # 第三方单据编号
FWRITTENOFFSTATUS e !=A 核销状态
"""
define(
    Form("AR_RECEIVEBILL", "收款单", "FID", "FBillNo", "T_AR_RECEIVEBILLENTRY", "SKD", "FPAYORGID"),
    _RECEIPT_HEAD
    + _STATE
    + """
FRECEIVEAMOUNTFOR_H n ! 收款金额
{FRECEIVEBILLENTRY FEntryID RECEIVEBILLENTRY} 收款单明细
FSETTLETYPEID r:BD_SETTLETYPE * 结算方式
FPURPOSEID r:CN_RECPAYPURPOSE 收款用途
FRECTOTALAMOUNTFOR n 应收金额
FRECAMOUNTFOR_E n ! 收款金额
FSETTLEDISTAMOUNTFOR n 现金折扣
FHANDLINGCHARGEFOR n 手续费
FACCOUNTID r:CN_BANKACNT 我方银行账号
FSETTLENO t 结算号
FOPPOSITEBANKACCOUNT t 对方银行账号
FOPPOSITEBANKNAME t 对方开户行
FCOMMENT t 备注
FPOSTDATE d 登账日期
FSALEORDERNO t 销售订单号
FORDERENTRYID i 订单明细内码
""",
)
define(
    Form("AR_REFUNDBILL", "收款退款单", "FID", "FBillNo", "T_AR_REFUNDBILLENTRY", "SKTKD", "FPAYORGID"),
    _RECEIPT_HEAD
    + _STATE
    + """
FREFUNDAMOUNTFOR_H n ! 退款金额
{FREFUNDBILLENTRY FEntryID REFUNDBILLENTRY} 退款单明细
FSETTLETYPEID r:BD_SETTLETYPE * 结算方式
FPURPOSEID r:CN_RECPAYPURPOSE 原收款用途
FREFUNDAMOUNTFOR n 应退金额
FREFUNDAMOUNTFOR_E n ! 退款金额
FACCOUNTID r:CN_BANKACNT 我方银行账号
FNOTE t 备注
FPOSTDATE d 登账日期
FSALEORDERNUMBER t 销售订单号
""",
)
define(
    Form("AR_OtherRecAble", "其他应收单", "FID", "FBillNo", "T_AR_OTHERRECABLEENTRY", "QTYSD", "FSETTLEORGID"),
    """
FID i ! 内码
FBillNo t # 单据编号
FBillTypeID r:BOS_BillType @ 单据类型
FDATE d *# 业务日期
FENDDATE_H d @ 到期日
FACCNTTIMEJUDGETIME d 到期日计算日期
FCONTACTUNITTYPE t =BD_Customer 往来单位类型
FCONTACTUNIT r:BD_Customer *# 往来单位
FCURRENCYID r:BD_Currency * 币别
FSETTLEORGID r:ORG_Organizations *@ 结算组织
FSALEORGID r:ORG_Organizations @ 销售组织
FPAYORGID r:ORG_Organizations 收款组织
FDEPARTMENTID r:BD_Department 申请部门
FAMOUNTFOR n ! 总金额
FEXCHANGERATE n =1 汇率
FWRITTENOFFSTATUS e !=A 核销状态
FAR_OtherRemarks t 备注
F_HUB_PAYOUT t # 返利付款号
F_HUB_PURPOSE t 返利用途
"""
    + _STATE
    + """
{FEntity FEntryID AR_OTHERRECABLEENTRY} 明细
FCOSTID r:BD_Expense 费用项目
FCOSTDEPARTMENTID r:BD_Department 费用承担部门
FINVOICETYPE t =0 发票类型
FEntryTaxRate n 税率%
FNOTAXAMOUNTFOR n 不含税金额
FTAXAMOUNTFOR n 税额
FAMOUNTFOR_D n 总金额
FCOMMENT t 备注
F_HUB_LINE t 中台行号
""",
)
