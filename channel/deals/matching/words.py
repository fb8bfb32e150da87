"""Words that company names are made of: legal forms, trades, notes; and their English counterparts.

Own lists, from the trade and from the registration rules (企业名称登记管理规定, 2020): name = region + brand (字号) + trade + legal form.
"""

from __future__ import annotations

COMPANY = tuple(
    """
    有限司公 有公限司 限有公司 限公司
    集团股份有限公司 集团有限责任公司 控股集团有限公司 股份有限责任公司 集团有限公司 控股有限公司 股份有限公司 有限责任公司
    科技有限责任公司 股份合作公司 有限公司 股份公司 集团总公司 集团公司 控股公司 总公司 责任公司 公司 有限合伙 普通合伙 合伙企业 股份
    集团 控股 有限 (有限合伙) 总厂 总店 总部 有限公 有限司
    """.split()
)
"""Legal forms of companies; anything behind one is a branch or a note."""

SMALL = tuple(
    """
    个体工商户 专业合作社 合作社 合作联社 经营部 门市部 服务部 营业部 经销部 销售部 商贸行 贸易行 商行 商店 总汇 商社 工作室 事务所
    个体户 批发部 经营店 专卖店 专营店 旗舰店 加工厂 工厂 厂 店 行 部 中心 社 院 所 站
    """.split()
)
"""Forms of sole traders and small firms; a name may need them to be told apart."""

BRANCH = tuple(
    """
    分公司 支公司 子公司 分支机构 办事处 代表处 联络处 分厂 分店 分行 支行 分部 分院 分所 分中心 营业部 营业厅 门店 经营部 售后服务部
    营销中心 服务站 直营店 旗舰店 工厂 生产基地
    """.split()
)
"""Behind a company's name these make a branch; `SURE_BRANCH` do so behind any name."""

SURE_BRANCH = tuple(
    """
    分公司 支公司 办事处 代表处 联络处 分厂 分店 分行 支行 分支机构
    """.split()
)

DEPARTMENTS = tuple(
    """
    采购部 采购中心 采购科 采购处 财务部 财务科 工程部 项目部 项目组 指挥部 销售科 市场部 技术部 研发部 研发中心 行政部 人事部 生产部
    设备部 设备科 设备处 物资部 物资科 供应部 供应科 供应链 后勤部 后勤处 办公室 总经办 信息中心 信息部 电商部 外贸部 仓储部 仓库
    品质部 质检部 售后部 大客户部 事业部 基建科 基建处 食堂 车间 一部 二部 三部
    """.split()
)
"""Parts of a firm that are no firm."""

_MORE_NOTES = tuple(
    """
    老客户 新客户 大客户 重点客户 重要客户 vip客户 潜在客户 意向客户 老板 待跟进 待定 暂定 备用 勿动 已报备 报备 续签 续约 重复 作废
    停用 临时 试用 测试 总包 分包 甲方 乙方 代理 代理商 终端 终端客户 最终用户 直客 新厂 老厂 新厂区 老厂区 厂区 东区 西区 南区 北区
    一厂 二厂 三厂 一号楼 总部大楼 大楼 办公楼 宿舍楼 新办公室 改造 扩建 新建 改扩建 技改 扩产 迁建 搬迁 升级 招标 投标 询价 项目 工程
    标段 一标段 二标段 追加 补单 首单 样品 批次 年度 框架 合同 转介绍 介绍 朋友 朋友介绍 展会 官网 电话 微信 加急 急 新 旧 原 筹 筹备
    """.split()
)

NOTES = (*DEPARTMENTS, *_MORE_NOTES)
"""What people write beside a name; cut only where a separator, a bracket or a legal form parts it from the name."""

_TAILS = tuple(
    """
    老客户 新客户 大客户 重点客户 vip客户 潜在客户 待跟进 改造项目 扩建项目 新建项目 技改项目 改造工程 扩建工程 二期项目 二期工程
    一期项目 一期工程 三期项目 三期工程 一期 二期 三期 四期 五期 1期 2期 3期 4期 第一期 第二期 第三期 续签 总部 新厂区 老厂区 办公楼
    新厂 老厂 项目 仓库 询价 报备
    """.split()
)

BARE_NOTES = (*(one for one in DEPARTMENTS if len(one) >= 3), *_TAILS)
"""What is cut from the tail of any name that is long enough without it."""

TRADES = tuple(
    """
    科技 技术 高科 高新技术 信息 信息技术 信息科技 网络 网络科技 网络技术 电子 电子科技 电子商务 电子技术 电气 电器 电力 电力设备
    电力工程 电工 电机 电缆 电线 线缆 电源 电池 新能源 能源 能源科技 光伏 光电 光电科技 光学 半导体 芯片 集成电路 微电子 通信 通讯
    通信技术 通信设备 智能 智能科技 智能装备 智能制造 人工智能 物联网 大数据 数据 数据科技 软件 软件开发 计算机 系统 系统集成 自动化
    自动化设备 自动化科技 机器人 机械 机械设备 机械制造 机械厂 机电 机电设备 机电工程 机床 数控 设备 装备 装备制造 制造 重工 工业 实业
    工贸 精密 精密机械 精密制造 精工 五金 五金制品 五金机电 模具 模塑 塑料 塑料制品 塑胶 塑胶制品 橡胶 橡塑 橡塑制品 化工 化学 化工科技
    精细化工 涂料 油漆 材料 新材料 新材料科技 复合材料 建材 建筑材料 装饰材料 建筑 建筑工程 建筑安装 建设 建设工程 建设集团 工程
    工程技术 工程建设 工程管理 工程咨询 工程设计 市政 市政工程 园林 园林绿化 园林景观 景观 绿化 绿化工程 装饰 装饰工程 装饰设计 装修
    装潢 设计 幕墙 门窗 钢结构 钢铁 钢材 钢管 管业 管道 不锈钢 金属 金属制品 金属材料 有色金属 铝业 铝材 铜业 矿业 矿产 冶金 铸造 锻造
    阀门 泵业 水泵 轴承 齿轮 弹簧 紧固件 标准件 刀具 工具 电动工具 液压 气动 压缩机 空调 制冷 制冷设备 暖通 锅炉 环保 环保科技 环保设备
    环境 环境科技 环境工程 环卫 水务 水处理 净水 净化 节能 节能科技 消防 消防工程 消防设备 安防 安全 安全技术 保安 保安服务 检测
    检测技术 检验 认证 计量 仪器 仪器仪表 仪表 测控 测控技术 传感器 医疗 医疗器械 医疗科技 医疗设备 医疗用品 医药 医药科技 药业 制药
    中药 药材 大药房 药房 药店 生物 生物科技 生物技术 生物医药 生物工程 健康 健康管理 健康科技 保健 养老 医院 诊所 口腔 门诊 美容
    美容美发 化妆品 日化 日用品 日用百货 洗涤 清洁 保洁 家政 家政服务 母婴 食品 食品科技 食品工业 饮料 饮品 酒业 酒类 白酒 茶业 茶叶
    粮油 粮食 面粉 米业 调味品 乳业 肉类 水产 海产 冷链 冷冻 农业 农牧业 农业科技 品牌 品牌营销 自行车 电脑 建工 门市 展览展示 旅业
    产业 产业园 零售 批发 连锁 直销 代理 销售 加工 生产 组装 农业开发 农牧 农资 农产品 种业 种苗 种植 养殖 牧业 畜牧 饲料 肥业 化肥
    林业 木业 木制品 竹木 家具 家居 家居用品 家私 家电 家纺 纺织 纺织品 针织 织造 印染 服装 服饰 服装服饰 制衣 时装 鞋业 鞋服 皮革 皮具
    箱包 羽绒 纤维 化纤 纸业 纸品 造纸 包装 包装材料 包装制品 印刷 印务 彩印 印刷包装 文具 文化用品 办公用品 办公设备 办公家具 文化
    文化传媒 文化传播 文化艺术 文化发展 文创 传媒 传播 广告 广告传媒 广告设计 影视 影视文化 影视传媒 动漫 游戏 娱乐 体育 体育用品
    体育文化 健身 旅游 旅行社 旅行 国际旅行社 酒店 酒店管理 宾馆 餐饮 餐饮管理 餐饮服务 饭店 餐厅 食堂 火锅 咖啡 烘焙 超市 商超 百货
    商场 便利店 商贸 贸易 经贸 商业 商务 商务服务 商务咨询 国际贸易 进出口 进出口贸易 外贸 物资 物资贸易 供应链 供应链管理 物流
    物流运输 国际物流 运输 货运 货运代理 国际货运代理 快递 速递 快运 仓储 仓储物流 港务 港口 航运 国际航运 船务 船舶 航空 航空科技 航天
    铁路 轨道交通 交通 交通运输 交通设施 公路 汽车 汽车销售 汽车销售服务 汽车服务 汽车租赁 汽车科技 汽车配件 汽车零部件 汽车用品
    汽车维修 汽贸 汽配 摩托车 电动车 车业 车辆 轮胎 机动车检测 驾驶培训 驾校 房地产 房地产开发 房产 地产 置业 置地 物业 物业服务
    物业管理 房产中介 房地产经纪 不动产 租赁 设备租赁 融资租赁 投资 投资管理 投资咨询 投资发展 创业投资 股权投资 资本 资产 资产管理
    基金 基金管理 金融 金融服务 金融科技 金融信息服务 证券 保险 保险代理 保险经纪 财产保险 人寿保险 担保 融资担保 小额贷款 典当 拍卖
    财务 财务咨询 财税 税务 税务师 会计 会计师 代理记账 审计 评估 资产评估 造价 造价咨询 招标 招标代理 律师 法律 知识产权 专利 商标
    管理 管理咨询 企业管理 企业管理咨询 企业咨询 企业服务 信息咨询 信息服务 咨询 咨询服务 咨询管理 服务 技术服务 技术开发 技术咨询 开发
    研发 研究 研究院 设计院 研究所 发展 运营 运营管理 策划 品牌管理 品牌策划 营销 营销策划 市场营销 会展 展览 展示 礼仪 婚庆 摄影 礼品
    工艺品 工艺 艺术 艺术品 珠宝 首饰 黄金 玉器 钟表 眼镜 乐器 玩具 陶瓷 瓷业 玻璃 玻璃制品 石材 石业 水泥 混凝土 商砼 砖业 砂石
    耐火材料 保温材料 防水 防水工程 防腐 灯饰 照明 照明科技 灯具 照明电器 卫浴 洁具 厨具 厨卫 厨房设备 卫生用品 卫生 地板 地毯 窗帘
    布艺 床上用品 教育 教育科技 教育咨询 教育培训 教育信息咨询 培训 职业培训 学校 幼儿园 图书 书店 书业 出版 人力资源 人力资源服务 人才
    人才服务 劳务 劳务派遣 劳务服务 外包 服务外包 呼叫中心 线上 直播 电商 互联网 互联网科技 信息系统 数字 数字科技 云计算 区块链 游艺
    宠物 宠物用品 花卉 苗木 苗圃 园艺 生态 生态农业 生态科技 循环 再生资源 回收 废旧物资 资源 燃气 天然气 石油 石化 石油化工 油品
    加油站 煤炭 煤业 焦化 热力 供热 供暖 发电 风电 水电 水利 水利水电 水电安装 安装 安装工程 设备安装 机电安装 空调安装 维修 维护 测绘
    勘测 勘察 地质 岩土 基础工程 路桥 桥梁 隧道 爆破 工程机械 起重 起重机械 电梯 叉车 农机 农业机械 纺机 包装机械 食品机械 印刷机械
    塑料机械 注塑 注塑机 压铸 冲压 钣金 焊接 焊接设备 激光 激光科技 三维 打印 标签 条码 标识 广告标识 彩印包装 电子元件 电子元器件
    元器件 连接器 线路板 电路板 继电器 变压器 开关 电器设备 配电 输配电 成套设备 电气设备 电气科技 仪器设备 实验设备 科学仪器 试剂
    教学设备 舞台设备 音响 视听 影音 显示 显示科技 触控 液晶 摄像 监控 弱电 楼宇 楼宇科技 智慧城市 塑料跑道 塑胶跑道 跑道 工具制造 轻工
    日用 杂货 副食 烟酒 烟草 糖酒 干果 果业 水果 蔬菜 蛋业 禽业 水业 饮用水 矿泉水 冷饮 糕点 零食 海鲜 渔业 盐业 蜂业 丝绸 毛纺 毛衣
    内衣 袜业 帽业 制帽 手套 劳保 劳保用品 防护用品 雨具 伞业 拉链 纽扣 绳网 无纺布 纱业 棉业 麻业 地坪 涂装 喷涂 电镀 表面处理 热处理
    工业科技 工业设备 工业自动化 工业炉 窑炉 工业窑炉 干燥设备 过滤 过滤设备 分离 膜科技 密封 密封件 磁业 磁材 磁电 稀土 硅业 石墨 碳素
    气体 工业气体 特种气体 炭业 香料 香精 染料 颜料 树脂 胶业 胶粘 粘合剂 助剂 催化剂 农药 植保 兽药 动保 动物保健 医学 医学检验 基因
    诊断 康复 护理 月子 早教 托管 留学 移民 签证 翻译 语言 票务 会务 公关 调查 征信 信用 信用管理 支付 网约车 出行 停车 停车场 充电
    充电桩 储能 锂电 氢能 核电
    """.split()
)
"""Trades and what firms call their business."""

ENGLISH_FORMS = frozenset(
    """
    AG AND B CO COLTD COMPANY COMPANYLIMITED CORP CORPLTD CORPORATION CORPS GMBH GONGSI GUFEN GUFENYOUXIANGONGSI H INC INCORPORATED
    LIMITED LLC LLP LP LTD OF PLC PTE PTY R S SA SS SWR THE W WR YOUXIAN YOUXIANGONGSI
    """.split()
)

ENGLISH_GROUPS = frozenset("GP GROUP GROUPS HLDG HLDGS HOLDING HOLDINGS JITUAN".split())
ENGLISH_BRANCH = frozenset("BANSHICHU BRANCH FENGONGSI OFFICE".split())

ENGLISH_TRADES: dict[str, str] = dict(
    pair.split("=")
    for pair in """
    TECHNOLOGY=科技 TECHNOLOGIES=科技 TECH=科技 TECHNICAL=技术 TECHNIQUE=技术 SCIENCE=科学 SCIENTIFIC=科学 SCI=科技 HITECH=高科
    INFORMATION=信息 INFO=信息 NETWORK=网络 NETWORKS=网络 INTERNET=互联网 ELECTRONIC=电子 ELECTRONICS=电子 ELEC=电子 ELECTRIC=电气
    ELECTRICAL=电气 APPLIANCE=电器 APPLIANCES=电器 POWER=电力 ENERGY=能源 NEWENERGY=新能源 BATTERY=电池 PHOTOELECTRIC=光电
    OPTOELECTRONICS=光电 OPTOELECTRONIC=光电 OPTICAL=光学 OPTICS=光学 SEMICONDUCTOR=半导体 MICROELECTRONICS=微电子 COMMUNICATION=通信
    COMMUNICATIONS=通信 COMM=通信 TELECOM=通信 INTELLIGENT=智能 INTELLIGENCE=智能 SMART=智能 DATA=数据 SOFTWARE=软件 COMPUTER=计算机
    SYSTEM=系统 SYSTEMS=系统 AUTOMATION=自动化 ROBOT=机器人 ROBOTICS=机器人 MACHINERY=机械 MECHANICAL=机械 MACH=机械 MACHINE=机械
    EQUIPMENT=设备 EQUIP=设备 MANUFACTURING=制造 MANUFACTURE=制造 MFG=制造 MANUFACTURER=制造 INDUSTRY=实业 INDUSTRIAL=实业
    INDUSTRIES=实业 IND=实业 PRECISION=精密 HARDWARE=五金 MOULD=模具 MOLD=模具 PLASTIC=塑料 PLASTICS=塑料 RUBBER=橡胶 CHEMICAL=化工
    CHEMICALS=化工 CHEM=化工 CHEMISTRY=化学 MATERIAL=材料 MATERIALS=材料 CONSTRUCTION=建设 BUILDING=建筑 ENGINEERING=工程 ENG=工程
    DECORATION=装饰 DESIGN=设计 LANDSCAPE=园林 STEEL=钢铁 METAL=金属 METALS=金属 ALUMINUM=铝业 ALUMINIUM=铝业 COPPER=铜业 MINING=矿业
    VALVE=阀门 PUMP=泵业 BEARING=轴承 TOOL=工具 TOOLS=工具 ENVIRONMENTAL=环保 ENVIRONMENT=环境 WATER=水务 FIRE=消防 SECURITY=安防
    SAFETY=安全 TESTING=检测 INSTRUMENT=仪器 INSTRUMENTS=仪器 METER=仪表 MEDICAL=医疗 MEDICINE=医药 MED=医疗 PHARMACEUTICAL=制药
    PHARMACEUTICALS=制药 PHARMA=医药 PHARM=医药 BIOTECH=生物 BIOTECHNOLOGY=生物技术 BIOLOGICAL=生物 BIO=生物 HEALTH=健康
    HEALTHCARE=健康 HOSPITAL=医院 COSMETICS=化妆品 COSMETIC=化妆品 FOOD=食品 FOODS=食品 FOODSTUFF=食品 BEVERAGE=饮料 WINE=酒业
    LIQUOR=酒业 TEA=茶业 GRAIN=粮油 DAIRY=乳业 AGRICULTURE=农业 AGRICULTURAL=农业 AGRI=农业 SEED=种业 FEED=饲料 FORESTRY=林业 WOOD=木业
    FURNITURE=家具 HOME=家居 HOUSEHOLD=家居 TEXTILE=纺织 TEXTILES=纺织 GARMENT=服装 GARMENTS=服装 CLOTHING=服装 APPAREL=服饰
    FASHION=服饰 SHOES=鞋业 LEATHER=皮革 FIBER=纤维 PAPER=纸业 PACKAGING=包装 PACKING=包装 PRINTING=印刷 STATIONERY=文具 OFFICE=办公
    CULTURE=文化 CULTURAL=文化 MEDIA=传媒 ADVERTISING=广告 ADVERTISEMENT=广告 FILM=影视 PICTURES=影视 GAME=游戏 GAMES=游戏
    ENTERTAINMENT=娱乐 SPORTS=体育 SPORT=体育 TRAVEL=旅游 TOURISM=旅游 HOTEL=酒店 HOTELS=酒店 RESTAURANT=餐饮 CATERING=餐饮
    SUPERMARKET=超市 TRADE=贸易 TRADING=贸易 COMMERCE=商贸 COMMERCIAL=商业 BUSINESS=商务 IMPORT=进出口 EXPORT=进出口 IMPEXP=进出口
    SUPPLY=供应链 LOGISTICS=物流 LOGISTIC=物流 TRANSPORTATION=运输 TRANSPORT=运输 TRANS=运输 FREIGHT=货运 EXPRESS=快递 STORAGE=仓储
    WAREHOUSING=仓储 PORT=港口 PORTS=港口 SHIPPING=航运 SHIP=航运 AVIATION=航空 AIRLINES=航空 AIR=航空 AEROSPACE=航天 RAILWAY=铁路
    TRAFFIC=交通 AUTO=汽车 AUTOMOBILE=汽车 AUTOMOTIVE=汽车 MOTOR=汽车 MOTORS=汽车 VEHICLE=车辆 TIRE=轮胎 TYRE=轮胎 ESTATE=房地产
    PROPERTY=地产 PROPERTIES=地产 PPT=地产 PPTY=地产 REALTY=地产 REAL= LAND=置地 LEASING=租赁 INVESTMENT=投资 INVESTMENTS=投资
    INVEST=投资 INV=投资 CAPITAL=资本 CAP=资本 ASSET=资产 ASSETS=资产 FUND=基金 FINANCE=金融 FINANCIAL=金融 FIN=金融 SECURITIES=证券
    SEC=证券 INSURANCE=保险 GUARANTEE=担保 BANK=银行 ACCOUNTING=会计 LAW=律师 MANAGEMENT=管理 MGMT=管理 CONSULTING=咨询
    CONSULTANCY=咨询 CONSULTATION=咨询 SERVICE=服务 SERVICES=服务 SER=服务 DEVELOPMENT=发展 DEV=发展 DEVELOP=发展 RESEARCH=研究
    ENTERPRISE=企业 ENTERPRISES=企业 EXHIBITION=会展 GIFT=礼品 GIFTS=礼品 CRAFTS=工艺品 ART=艺术 ARTS=艺术 JEWELRY=珠宝 JEWELLERY=珠宝
    TOYS=玩具 TOY=玩具 CERAMICS=陶瓷 CERAMIC=陶瓷 GLASS=玻璃 STONE=石材 CEMENT=水泥 LIGHTING=照明 LIGHT=照明 SANITARY=卫浴 KITCHEN=厨具
    EDUCATION=教育 EDUCATIONAL=教育 EDU=教育 TRAINING=培训 SCHOOL=学校 BOOKS=图书 BOOK=图书 PUBLISHING=出版 HUMAN= RESOURCES=资源
    RESOURCE=资源 LABOR=劳务 ECOMMERCE=电子商务 DIGITAL=数字 CLOUD=云计算 PET=宠物 ECOLOGICAL=生态 ECOLOGY=生态 ECO=生态 GAS=燃气
    PETROLEUM=石油 OIL=石油 PETROCHEMICAL=石化 COAL=煤业 HEATING=热力 WIND=风电 HYDROPOWER=水电 INSTALLATION=安装 MAINTENANCE=维护
    SURVEYING=测绘 ELEVATOR=电梯 LASER=激光 CABLE=电缆 DISPLAY=显示 AUDIO=音响 INTERNATIONAL=国际 INTL=国际 INT=国际 HOLDINGSCO=
    NATIONAL= CHINA= CHINESE= PRODUCTS=制品 PRODUCT=制品 GOODS=用品 STORE=商店 SHOP=商店 FACTORY=厂 WORKS=厂
    """.split()
)
"""English words of trades and the Chinese one that firms use; "" for a word that says nothing."""
