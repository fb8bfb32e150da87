"""Base data: organisations, people, customers, contacts, materials, price lists, stock, and the small dictionaries they use."""

from __future__ import annotations

from sandbox.erp_kingdee.forms import Form, define

_AUDIT = """
FDocumentStatus e @!=A 数据状态
FForbidStatus e @!=A 禁用状态
FCreateDate dt @! 创建日期
FModifyDate dt #! 修改日期
FApproveDate dt #! 审核日期
"""
_SMALL = (
    """
FNumber t 80 编码
FName t 名称
FUseOrgId r:ORG_Organizations @ 使用组织
FCreateOrgId r:ORG_Organizations 创建组织
FMasterId i ! 主内码
FSTOCKORGID r:ORG_Organizations 库存组织
FAMOUNTDIGITS i =2 金额小数位
FTaxRate n 税率
"""
    + _AUDIT
)

SMALL = {
    "BD_UNIT": "计量单位",
    "BD_Currency": "币别",
    "BD_SETTLETYPE": "结算方式",
    "BD_RecCondition": "收款条件",
    "BD_TaxRate": "税率",
    "BD_Expense": "费用项目",
    "BD_STOCK": "仓库",
    "BD_BatchMainFile": "批号",
    "BD_CustomerGroup": "客户分组",
    "BD_MaterialGroup": "物料分组",
    "BD_RateType": "汇率类型",
    "BD_Supplier": "供应商",
    "CN_BANKACNT": "银行账号",
    "CN_RECPAYPURPOSE": "收付款用途",
    "BD_DiscountList": "折扣表",
    "SEC_User": "用户",
}
"""Dictionaries of number and name. Loading a world adds the values it uses."""

for _id, _title in SMALL.items():
    define(
        Form(_id, _title, "FID", "FNumber", base=True, prefix=f"{_id[3:6].upper()}"),
        "FID i @! 内码" + _SMALL.replace("FNumber t 80", "FNumber t #*"),
    )

define(
    Form("BOS_BillType", "单据类型", "FID", "FNumber", base=True, guid=True),
    "FID t ! 内码" + _SMALL.replace("FNumber t 80", "FNumber t #*"),
    "BD_BillType",
)

define(
    Form("ORG_Organizations", "组织机构", "FOrgID", "FNumber", base=True, prefix="ORG"),
    "FOrgID i ! 内码\nFNumber t #* 编码\nFName t * 名称\n" + _AUDIT,
)
define(
    Form("BD_Department", "部门", "FDEPTID", "FNumber", base=True, prefix="BM"),
    """
FDEPTID i ! 内码
FNumber t # 编码
FName t * 名称
FUseOrgId r:ORG_Organizations @ 使用组织
FCreateOrgId r:ORG_Organizations 创建组织
FParentID r:BD_Department 上级部门
F_HUB_KEY t # 中台主键
"""
    + _AUDIT,
)
define(
    Form("BD_Empinfo", "员工", "FID", "FNumber", base=True, prefix="EMP"),
    """
FID i ! 内码
FNumber t # 员工编号
FName t * 员工姓名
FMobile t 移动电话
FTel t 固定电话
FEmail t 邮箱
FUseOrgId r:ORG_Organizations @ 使用组织
FCreateOrgId r:ORG_Organizations 创建组织
FPostDept r:BD_Department 部门
F_HUB_KEY t # 中台主键
"""
    + _AUDIT,
    "BD_Saler",
    "BD_OPERATOR",
    "BD_NewStaff",
)
define(
    Form("BD_Customer", "客户", "FCUSTID", "FNumber", prefix="CUST", org="FUseOrgId", copies=True, base=True),
    """
FCUSTID i ! 内码
FNumber t # 客户编码
FName t *@ 客户名称
FShortName t 客户简称
FCreateOrgId r:ORG_Organizations *@ 创建组织
FUseOrgId r:ORG_Organizations @ 使用组织
FMasterId i @! 主内码
FGroup r:BD_CustomerGroup 客户分组
FCustTypeId t 客户类别
FSOCIALCRECODE t # 统一社会信用代码
FTAXREGISTERCODE t @ 纳税登记号
FCOUNTRY t 国家
FPROVINCIAL t 地区
FADDRESS t 通讯地址
FZIP t 邮政编码
FTEL t 联系电话
FFAX t 传真
FWEBSITE t 公司网址
FGROUPCUSTID r:BD_Customer 集团客户
FTRADINGCURRID r:BD_Currency * 结算币别
FRECCONDITIONID r:BD_RecCondition 收款条件
FSETTLETYPEID r:BD_SETTLETYPE 结算方式
FPRICELISTID r:BD_SAL_PriceList 价目表
FDISCOUNTLISTID r:BD_DiscountList 折扣表
FTaxRate r:BD_TaxRate 默认税率
FTaxType t 税分类
FInvoiceType t 发票类型
FPriority i =1 客户优先级
FISCREDITCHECK b 启用信用管理
FIsTrade b =true 是否交易客户
FSELLER r:BD_Empinfo 销售员
FDescription t 备注
F_HUB_KEY t # 中台主键
F_HUB_CREDIT n 信用额度
F_HUB_LEVEL t 经销商等级
F_HUB_CHANNEL t 渠道类型
F_HUB_EMAIL t 电子邮箱
"""
    + _AUDIT
    + """
{FT_BD_CUSTCONTACT FENTRYID BD_CUSTCONTACT} 地址信息
FNUMBER1 t 地点编码
FNAME1 t 地点名称
FADDRESS1 t 详细地址
FMOBILE t 移动电话
FIsDefaultConsignee b 默认收货方
FIsDefaultSettle b 默认开票
FIsDefaultPayer b 默认付款
FIsUsed b =true 启用
{FT_BD_CUSTBANK FENTRYID BD_CUSTBANK} 银行信息
FOPENBANKNAME t 开户银行
FBANKCODE t 银行账号
FACCOUNTNAME t 账户名称
FISDEFAULT1 b 默认
""",
)
define(
    Form("BD_CommonContact", "联系人", "FCONTACTID", "FNumber", prefix="CXR", base=True),
    """
FCONTACTID i ! 内码
FNumber t # 编码
FName t * 姓名
FCompanyType t =BD_Customer 所属类型
FCompany r:BD_Customer @ 所属公司
FMobile t @ 移动电话
FTel t 固定电话
FEmail t 电子邮箱
FPost t 职务
FBizAddress t 详细地址
FDescription t 备注
F_HUB_KEY t # 中台主键
"""
    + _AUDIT,
)
define(
    Form("BD_MATERIAL", "物料", "FMATERIALID", "FNumber", prefix="CH", org="FUseOrgId", copies=True, base=True),
    """
FMATERIALID i ! 内码
FNumber t # 编码
FName t *@ 名称
FSpecification t 规格型号
FMnemonicCode t 助记码
FOldNumber t 旧物料编码
FMaterialGroup r:BD_MaterialGroup 物料分组
FCreateOrgId r:ORG_Organizations *@ 创建组织
FUseOrgId r:ORG_Organizations @ 使用组织
FMasterId i @! 主内码
FDescription t 描述
F_HUB_KEY t # 中台主键
F_HUB_LISTPRICE n 标准售价
[SubHeadEntity MaterialBase]
FBARCODE t @ 条码
FErpClsID t =1 物料属性
FBaseUnitId r:BD_UNIT * 基本单位
FTaxRateId r:BD_TaxRate 默认税率
FIsPurchase b =true 允许采购
FIsInventory b =true 允许库存
FIsSale b =true 允许销售
FIsProduce b 允许生产
FGROSSWEIGHT n 毛重
FNETWEIGHT n 净重
[SubHeadEntity1 MaterialStock]
FStoreUnitID r:BD_UNIT 库存单位
FIsBatchManage b 启用批号管理
FSafeStock n 安全库存
[SubHeadEntity2 MaterialSale]
FSaleUnitId r:BD_UNIT 销售单位
FSalePriceUnitId r:BD_UNIT 销售计价单位
FOrderQty n 起订量
[]
"""
    + _AUDIT,
)
define(
    Form("BD_SAL_PriceList", "销售价目表", "FID", "FNumber", prefix="XSJMB", base=True, table="T_SAL_PRICELISTENTRY"),
    """
FID i ! 内码
FNumber t # 编码
FName t * 名称
FCreateOrgId r:ORG_Organizations *@ 创建组织
FCurrencyId r:BD_Currency * 币别
FIsIncludedTax b =true 含税
FEffectiveDate d @ 生效日
FExpiryDate d @ 失效日
FPriceObject t =A 价格对象
FPriceType t 价格类型
FLimitCustomer t 限定客户
FLimitSalesMan t 限定销售员
FDescription t 备注
FAuditStatus e !=A 审核状态
F_HUB_KEY t # 中台主键
"""
    + _AUDIT
    + """
{FEntity FEntryID SAL_PRICELISTENTRY} 价目明细
FMaterialId r:BD_MATERIAL *^FCreateOrgId 物料编码
FUnitID r:BD_UNIT 计价单位
FPriceUnitId r:BD_UNIT 价格单位
FFromQty n 从
FToQty n 至
FPrice n 价格
FDownPrice n 最低限价
FPriceBase n =1 价格系数
FEntryEffectiveDate d 生效日
FEntryExpiryDate d 失效日
FEntryForbidStatus e =A 禁用状态
FRowAuditStatus e =A 行审核状态
FEntryNote t 备注
F_HUB_LINE t 中台行号
""",
)
define(
    Form("STK_Inventory", "即时库存", "FID", "", org="FStockOrgId", guid=True, writable=False),
    """
FID t ! 内码
FStockOrgId r:ORG_Organizations @ 库存组织
FStockId r:BD_STOCK @ 仓库
FMaterialId r:BD_MATERIAL @ 物料
FLot r:BD_BatchMainFile 批号
FStockStatusId t =KCZT01_SYS 库存状态
FOwnerTypeId t =BD_OwnerOrg 货主类型
FBaseUnitId r:BD_UNIT 基本单位
FBaseQty n 库存量(基本单位)
FStockUnitId r:BD_UNIT 库存主单位
FQty n 库存量(主单位)
FSecQty n 库存量(辅单位)
FAVBQty n 可用量(主单位)
FBaseAVBQty n 可用量(基本单位)
FMtoNo t 计划跟踪号
FUpdateTime dt # 最后更新日期
""",
)
