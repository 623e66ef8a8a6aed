"""Enter the province's regions, the plan's industries and the first qualification framework.

Rows of these tables end and begin by later migrations, never by change: what an
earlier record says stays readable. The region table begins on 1 January 2000;
nothing is looked up before that day.
"""

from datetime import date, timedelta
from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE_BEGINS = date(2000, 1, 1)

# (code, name, English, Korean, parent). Codes: GB/T 2260.
REGIONS = (
    ("220000", "吉林省", "Jilin Province", "길림성", ""),
    ("220100", "长春市", "Changchun", "장춘시", "220000"),
    ("220200", "吉林市", "Jilin City", "길림시", "220000"),
    ("220300", "四平市", "Siping", "사평시", "220000"),
    ("220400", "辽源市", "Liaoyuan", "료원시", "220000"),
    ("220500", "通化市", "Tonghua", "통화시", "220000"),
    ("220600", "白山市", "Baishan", "백산시", "220000"),
    ("220700", "松原市", "Songyuan", "송원시", "220000"),
    ("220800", "白城市", "Baicheng", "백성시", "220000"),
    (
        "222400",
        "延边朝鲜族自治州",
        "Yanbian Korean Autonomous Prefecture",
        "연변조선족자치주",
        "220000",
    ),
)

# Gongzhuling passed from Siping to Changchun in June 2020 and has another code
# since. The table changes over at the end of that month.
GONGZHULING_MOVES = date(2020, 7, 1)

# The plan's industries in its order: (code, name, English).
KEY_INDUSTRIES = (
    ("eco-tourism", "生态旅游", "Ecological tourism"),
    ("energy-saving", "节能环保", "Energy saving and environmental protection"),
    ("clean-production", "清洁生产", "Clean production"),
    ("clean-energy", "清洁能源", "Clean energy"),
    ("new-energy-vehicles", "新能源汽车", "New-energy vehicles"),
    ("intelligent-manufacturing", "智能制造", "Intelligent manufacturing"),
    ("rail-transit", "先进轨道交通", "Advanced rail transit"),
    ("general-aviation", "通用航空", "General aviation"),
    ("modern-agriculture", "现代农业", "Modern agriculture"),
    ("medicine-health", "医药健康", "Medicine and health"),
    ("ice-snow-sports", "冰雪运动", "Ice and snow sports"),
    ("modern-logistics", "现代物流", "Modern logistics"),
)
CORRIDOR_INDUSTRIES = (
    ("automobiles", "汽车", "Automobiles"),
    ("chemicals", "化工", "Chemicals"),
    ("farm-products", "农产品加工", "Processing of farm products"),
    ("medicine", "医药", "Medicine"),
    ("high-end-equipment", "高端装备制造", "High-end equipment manufacturing"),
    ("new-materials-energy", "新材料新能源", "New materials and new energy"),
    ("chinese-medicine", "中药", "Traditional Chinese medicines"),
    ("biopharmaceuticals", "生物药", "Biopharmaceuticals"),
    ("chemical-drugs", "化学药", "Chemical drugs"),
    ("medical-materials", "医药材料与保健食品", "Medical materials and health foods"),
    ("medical-devices", "医疗器械", "Medical devices"),
    ("pharma-equipment", "制药设备与检测仪器", "Pharmaceutical equipment and instruments"),
    ("pharma-commerce", "医药商业与流通业", "Pharmaceutical trade and distribution"),
    ("health-services", "医疗与健康服务业", "Medical and health services"),
    ("cross-border-trade", "跨境经贸", "Cross-border trade"),
    ("summer-ice-tourism", "避暑冰雪生态旅游", "Summer-resort and ice-and-snow tourism"),
    ("wetland-tourism", "河湖草原湿地旅游", "River, lake, grassland and wetland tourism"),
    ("transport-hubs", "交通枢纽集疏", "Transport hubs"),
    ("digital-industry", "数字产业", "Digital industry"),
    ("artificial-intelligence", "人工智能", "Artificial intelligence"),
    ("aerospace", "航空航天", "Aerospace"),
    ("optoelectronics", "光电信息", "Optoelectronics and information"),
    ("wind-power", "风电", "Wind power"),
    ("photovoltaics", "光伏", "Photovoltaics"),
    ("education", "教育", "Education"),
    ("finance", "金融", "Finance"),
)

# (name, English, what stands at this level, in English).
LEVELS = (
    ("一级", "Level 1", "小学", "Primary education"),
    ("二级", "Level 2", "初中", "Lower secondary education"),
    ("三级", "Level 3", "高中、中等职业教育", "Upper secondary and secondary vocational education"),
    ("四级", "Level 4", "专科、高等职业教育", "Short-cycle and higher vocational education"),
    ("五级", "Level 5", "本科、职业本科", "Bachelor's degree, vocational bachelor's degree"),
    ("六级", "Level 6", "硕士", "Master's degree"),
    ("七级", "Level 7", "博士", "Doctorate"),
)


def enter(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Enter the rows."""
    alias = schema_editor.connection.alias
    _enter_regions(apps.get_model("institutions", "Region").objects.using(alias))
    industry = apps.get_model("institutions", "Industry").objects.using(alias)
    listed = [(row, "二（二）") for row in KEY_INDUSTRIES]
    listed += [(row, "三（一）2") for row in CORRIDOR_INDUSTRIES]
    for position, ((code, name, name_en), paragraph) in enumerate(listed, 1):
        industry.create(
            code=code, name=name, name_en=name_en, listed_in=paragraph, position=position
        )
    framework = (
        apps.get_model("institutions", "Framework")
        .objects.using(alias)
        .create(
            code="lqf",
            version=1,
            name="终身教育资历框架（七级）",
            name_en="Lifelong Education Qualifications Framework (seven levels)",
            valid_from=date(2020, 1, 1),
        )
    )
    level = apps.get_model("institutions", "Level").objects.using(alias)
    for number, (name, name_en, typical, typical_en) in enumerate(LEVELS, 1):
        level.create(
            framework=framework,
            number=number,
            name=name,
            name_en=name_en,
            typical=typical,
            typical_en=typical_en,
        )


def _enter_regions(region: Any) -> None:
    for code, name, name_en, name_ko, parent in REGIONS:
        region.create(
            code=code,
            name=name,
            name_en=name_en,
            name_ko=name_ko,
            parent_code=parent,
            valid_from=TABLE_BEGINS,
        )
    region.create(
        code="220381",
        name="公主岭市",
        name_en="Gongzhuling",
        name_ko="공주령시",
        parent_code="220300",
        successor_code="220184",
        note="2020年6月改由长春市代管，代码改为220184",
        valid_from=TABLE_BEGINS,
        valid_until=GONGZHULING_MOVES - timedelta(days=1),
    )
    region.create(
        code="220184",
        name="公主岭市",
        name_en="Gongzhuling",
        name_ko="공주령시",
        parent_code="220100",
        note="2020年6月以前由四平市代管，代码为220381",
        valid_from=GONGZHULING_MOVES,
    )
    region.create(
        code="220581",
        name="梅河口市",
        name_en="Meihekou",
        name_ko="매하구시",
        parent_code="220500",
        note="由省直接管理经济社会事务，行政区划仍属通化市",
        valid_from=TABLE_BEGINS,
    )
    region.create(
        code="22-CBS",
        name="长白山保护开发区",
        name_en="Changbaishan Protection and Development Zone",
        name_ko="장백산보호개발구",
        parent_code="220000",
        official=False,
        note="省直属管理区，国家行政区划代码中没有单独代码",
        valid_from=TABLE_BEGINS,
    )


class Migration(migrations.Migration):
    """The reference data."""

    dependencies = [("institutions", "0001_institutions_and_catalogue")]

    operations = [migrations.RunPython(enter, migrations.RunPython.noop)]
