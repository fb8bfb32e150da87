"""Base data of Kingdee: organisations and people, customers, products, prices and stock, as forms with keys and fields."""

from __future__ import annotations

from connectors.erp_kingdee.forms import Form, fields

_BASE = """
FDocumentStatus  e ! 数据状态 Document status
FForbidStatus    e ! 禁用状态 Disabled
FModifyDate      dt ! 修改日期 Changed
"""

ORGANIZATIONS = Form(
    stream="organizations",
    form="ORG_Organizations",
    title="组织机构 Organisations",
    pk="FOrgID",
    number="FNumber",
    org="FNumber",
    head=fields("""
    FNumber          t(80) ! 编码 Number
    FName            t(80) ! 名称 Name
    FDocumentStatus  e ! 数据状态 Document status
    FForbidStatus    e ! 禁用状态 Disabled
    """),
)
DEPARTMENTS = Form(
    stream="departments",
    form="BD_Department",
    title="部门 Departments",
    pk="FDEPTID",
    number="FNumber",
    org="FUseOrgId.FNumber",
    modified="FModifyDate",
    head=fields("""
    FNumber            t(80) ! 编码 Number
    FName              t(80) ! 名称 Name
    FUseOrgId.FNumber  r(ORG_Organizations) ! 使用组织 Organisation
    FParentID          k(BD_Department) 上级部门 Parent
    FModifyDate        dt ! 修改日期 Changed
    """),
    depends_on=("organizations",),
)
EMPLOYEES = Form(
    stream="employees",
    form="BD_Empinfo",
    title="员工 Employees",
    pk="FID",
    number="FNumber",
    org="FUseOrgId.FNumber",
    modified="FModifyDate",
    head=fields("""
    FNumber            t(80) ! 员工编号 Number
    FName              t(80) !~ 姓名 Name
    FMobile            t(50) !~ 移动电话 Mobile
    FEmail             t(100) !~ 邮箱 E-mail
    FUseOrgId.FNumber  r(ORG_Organizations) ! 使用组织 Organisation
    FModifyDate        dt ! 修改日期 Changed
    FForbidStatus      e ! 禁用状态 Disabled
    """),
    depends_on=("departments",),
)
CUSTOMERS = Form(
    stream="customers",
    form="BD_Customer",
    title="客户 Customers",
    pk="FCUSTID",
    number="FNumber",
    org="FUseOrgId.FNumber",
    modified="FModifyDate",
    approved="FApproveDate",
    created="FCreateDate",
    status="FDocumentStatus",
    hub_key="F_HUB_KEY",
    writable=True,
    base_data=True,
    head=fields(
        """
    FNumber                  t(80) 客户编码 Number
    FName                    t(80) * 客户名称 Name
    FShortName               t(80) 简称 Short name
    FCreateOrgId.FNumber     r(ORG_Organizations) * 创建组织 Created by organisation
    FUseOrgId.FNumber        r(ORG_Organizations) 使用组织 Used by organisation
    FMasterId                i ! 主内码 Id shared by all copies
    FGroup.FNumber           r(BD_CustomerGroup) 客户分组 Group
    FSOCIALCRECODE           t(50) 统一社会信用代码 Unified social credit code
    FTAXREGISTERCODE         t(50) 纳税登记号 Tax number
    FCOUNTRY                 t(80) 国家 Country
    FPROVINCIAL              t(80) 地区 Province
    FADDRESS                 t(255) 通讯地址 Address
    FZIP                     t(20) 邮编 Postcode
    FTEL                     t(50) 联系电话 Telephone
    FWEBSITE                 t(100) 网址 Web site
    FTRADINGCURRID.FNumber   r(BD_Currency) * 结算币别 Currency
    FRECCONDITIONID.FNumber  r(BD_RecCondition) 收款条件 Payment terms
    FSETTLETYPEID.FNumber    r(BD_SETTLETYPE) 结算方式 Settlement method
    FPRICELISTID             k(BD_SAL_PriceList) 价目表 Price list
    FPRICELISTID.FNumber     r(BD_SAL_PriceList) 价目表 Price list
    FSELLER.FNumber          r(BD_Empinfo) 销售员 Salesperson
    FDescription             t(255) 备注 Remark
    FCreateDate              dt ! 创建日期 Created
    F_HUB_KEY                t(20) 中台主键 Hub key
    F_HUB_CREDIT             n(2) 信用额度 Credit limit
    F_HUB_LEVEL              t(50) 经销商等级 Dealer level
    F_HUB_CHANNEL            t(50) 渠道类型 Channel type
    F_HUB_EMAIL              t(100) 电子邮箱 E-mail
    """
        + _BASE
    ),
    depends_on=("organizations", "employees", "price_lists"),
)
CONTACTS = Form(
    stream="contacts",
    form="BD_CommonContact",
    title="联系人 Contacts",
    pk="FCONTACTID",
    number="FNumber",
    modified="FModifyDate",
    hub_key="F_HUB_KEY",
    writable=True,
    base_data=True,
    head=fields("""
    FNumber           t(80) 编码 Number
    FName             t(80) *~ 姓名 Name
    FCompanyType      e 所属类型 Kind of company
    FCompany          k(BD_Customer) 所属公司 Company
    FCompany.FNumber  r(BD_Customer) 所属公司 Company
    FMobile           t(50) ~ 移动电话 Mobile
    FTel              t(50) ~ 固定电话 Telephone
    FEmail            t(100) ~ 电子邮箱 E-mail
    FPost             t(80) 职务 Post
    FModifyDate       dt ! 修改日期 Changed
    FForbidStatus     e ! 禁用状态 Disabled
    F_HUB_KEY         t(20) 中台主键 Hub key
    """),
    depends_on=("customers",),
)
PRODUCTS = Form(
    stream="products",
    form="BD_MATERIAL",
    title="物料 Materials",
    pk="FMATERIALID",
    number="FNumber",
    org="FUseOrgId.FNumber",
    modified="FModifyDate",
    approved="FApproveDate",
    status="FDocumentStatus",
    hub_key="F_HUB_KEY",
    writable=True,
    base_data=True,
    write_under={
        "FBARCODE": "SubHeadEntity",
        "FBaseUnitId": "SubHeadEntity",
        "FTaxRateId": "SubHeadEntity",
        "FIsSale": "SubHeadEntity",
        "FSaleUnitId": "SubHeadEntity2",
    },
    head=fields(
        """
    FNumber                 t(80) 物料编码 Number
    FName                   t(80) * 名称 Name
    FSpecification          t(255) 规格型号 Specification
    FMaterialGroup.FNumber  r(BD_MaterialGroup) 物料分组 Group
    FCreateOrgId.FNumber    r(ORG_Organizations) * 创建组织 Created by organisation
    FUseOrgId.FNumber       r(ORG_Organizations) 使用组织 Used by organisation
    FMasterId               i ! 主内码 Id shared by all copies
    FBARCODE                t(80) 条码 Bar code
    FBaseUnitId.FNumber     r(BD_UNIT) * 基本单位 Base unit
    FSaleUnitId.FNumber     r(BD_UNIT) 销售单位 Sales unit
    FTaxRateId.FNumber      r(BD_TaxRate) 税率 Tax rate
    FIsSale                 b 允许销售 May be sold
    FDescription            t(255) 描述 Description
    F_HUB_KEY               t(20) 中台主键 Hub key
    F_HUB_LISTPRICE         n(6) 标准售价 List price
    """
        + _BASE
    ),
    depends_on=("organizations",),
)
PRICE_LISTS = Form(
    stream="price_lists",
    form="BD_SAL_PriceList",
    title="销售价目表 Price lists",
    pk="FID",
    number="FNumber",
    org="FCreateOrgId.FNumber",
    modified="FModifyDate",
    approved="FApproveDate",
    created="FCreateDate",
    status="FDocumentStatus",
    hub_key="F_HUB_KEY",
    hub_line="F_HUB_LINE",
    writable=True,
    base_data=True,
    entity="FEntity",
    entry="FEntryID",
    head=fields(
        """
    FNumber               t(80) 编码 Number
    FName                 t(80) * 名称 Name
    FCreateOrgId.FNumber  r(ORG_Organizations) * 创建组织 Organisation
    FCurrencyId.FNumber   r(BD_Currency) * 币别 Currency
    FIsIncludedTax        b 含税 Prices include tax
    FEffectiveDate        d 生效日 Valid from
    FExpiryDate           d 失效日 Valid to
    FLimitCustomer        e 限定客户 Limited to customers
    FDescription          t(255) 备注 Remark
    FCreateDate           dt ! 创建日期 Created
    F_HUB_KEY             t(20) 中台主键 Hub key
    """
        + _BASE
    ),
    lines=fields("""
    FMaterialId           k(BD_MATERIAL) 物料 Material
    FMaterialId.FNumber   r(BD_MATERIAL) * 物料 Material
    FUnitID.FNumber       r(BD_UNIT) 计价单位 Unit
    FFromQty              n 从 From quantity
    FToQty                n 至 To quantity
    FPrice                n 价格 Price
    FDownPrice            n 最低限价 Lowest price
    FEntryEffectiveDate   d 生效日 Valid from
    FEntryExpiryDate      d 失效日 Valid to
    FEntryForbidStatus    e 禁用状态 Disabled
    F_HUB_LINE            t(36) 中台行号 Hub line key
    """),
    depends_on=("products",),
)
STOCK_LEVELS = Form(
    stream="stock_levels",
    form="STK_Inventory",
    title="即时库存 Stock levels",
    pk="FID",
    numeric_pk=False,  # a GUID
    org="FStockOrgId.FNumber",
    modified="FUpdateTime",
    head=fields("""
    FStockOrgId.FNumber  r(ORG_Organizations) ! 库存组织 Organisation
    FStockId.FNumber     r(BD_STOCK) ! 仓库 Warehouse
    FMaterialId          k(BD_MATERIAL) 物料 Material
    FMaterialId.FNumber  r(BD_MATERIAL) ! 物料 Material
    FLot.FNumber         r(BD_BatchMainFile) ! 批号 Lot
    FStockUnitId.FNumber r(BD_UNIT) ! 库存主单位 Unit
    FQty                 n ! 库存量 Quantity
    FAVBQty              n ! 可用量 Available quantity
    FUpdateTime          dt ! 最后更新 Changed
    """),
    depends_on=("products",),
)
