"""Names of Chinese provinces and larger cities that company names begin with, for weak comparing only."""

from __future__ import annotations

_PROVINCES = (
    "北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川 贵州 云南 "
    "陕西 甘肃 青海 台湾 内蒙古自治区 内蒙古 广西壮族自治区 广西 西藏自治区 西藏 宁夏回族自治区 宁夏 新疆维吾尔自治区 新疆 "
    "香港特别行政区 香港 澳门特别行政区 澳门 中国"
)
_CITIES = (
    "石家庄 唐山 秦皇岛 邯郸 保定 张家口 沧州 廊坊 太原 大同 呼和浩特 包头 沈阳 大连 鞍山 长春 吉林 哈尔滨 大庆 南京 无锡 "
    "徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 宿迁 昆山 江阴 张家港 常熟 杭州 宁波 温州 嘉兴 湖州 绍兴 金华 衢州 "
    "舟山 台州 丽水 义乌 合肥 芜湖 蚌埠 马鞍山 安庆 滁州 福州 厦门 莆田 三明 泉州 漳州 南平 龙岩 宁德 南昌 景德镇 九江 赣州 "
    "济南 青岛 淄博 枣庄 东营 烟台 潍坊 济宁 泰安 威海 日照 临沂 德州 聊城 菏泽 郑州 开封 洛阳 平顶山 安阳 新乡 许昌 南阳 "
    "武汉 黄石 十堰 宜昌 襄阳 荆州 长沙 株洲 湘潭 衡阳 岳阳 常德 广州 深圳 珠海 汕头 佛山 韶关 湛江 肇庆 江门 茂名 惠州 梅州 "
    "汕尾 清远 东莞 中山 潮州 揭阳 南宁 柳州 桂林 北海 海口 三亚 成都 自贡 攀枝花 泸州 德阳 绵阳 乐山 南充 宜宾 贵阳 遵义 "
    "昆明 曲靖 大理 拉萨 西安 铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 兰州 西宁 银川 乌鲁木齐 克拉玛依"
)


def _by_start() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name in sorted(f"{_PROVINCES} {_CITIES}".split(), key=len, reverse=True):
        found.setdefault(name[:2], []).append(name)
    return {start: tuple(dict.fromkeys(names)) for start, names in found.items()}


REGIONS: dict[str, tuple[str, ...]] = _by_start()
"""First two characters → names that begin so, longest first."""
