"""Regions, industries and levels, as the migrations enter them."""

from datetime import date

import pytest
from django.db import IntegrityError
from django.utils.translation import override

from creditbank.institutions import queries
from creditbank.institutions.kinds import InstitutionKind, OutcomeKind
from creditbank.institutions.models import Industry, Region

pytestmark = pytest.mark.usefixtures("db")

TODAY = date(2026, 6, 17)


def test_the_province_has_nine_prefectures():
    assert [(place.code, place.name) for place in queries.prefectures(TODAY)] == [
        ("220100", "长春市"),
        ("220200", "吉林市"),
        ("220300", "四平市"),
        ("220400", "辽源市"),
        ("220500", "通化市"),
        ("220600", "白山市"),
        ("220700", "松原市"),
        ("220800", "白城市"),
        ("222400", "延边朝鲜族自治州"),
    ]


def test_every_region_lies_in_one_that_exists():
    codes = {region.code for region in Region.objects.all()}
    assert {region.parent_code for region in Region.objects.all()} - {""} <= codes
    assert queries.region("222400", TODAY).name_ko == "연변조선족자치주"


def test_gongzhuling_has_one_code_before_it_moved_and_another_after():
    before, after = date(2020, 6, 30), date(2020, 7, 1)
    old = queries.region("220381", before)
    assert (old.parent_code, old.successor_code) == ("220300", "220184")
    assert queries.region("220184", after).parent_code == "220100"
    for code, on in (("220381", after), ("220184", before)):
        with pytest.raises(queries.UnknownItem):
            queries.region(code, on)


def test_an_area_without_a_national_code_is_marked_as_such():
    area = queries.region("22-CBS", TODAY)
    assert not area.official
    assert area not in queries.prefectures(TODAY)


def test_two_versions_of_a_region_are_never_valid_on_one_day():
    with pytest.raises(IntegrityError, match="region_versions_apart"):
        Region.objects.create(
            code="220100", name="长春", name_en="Changchun", valid_from=date(2024, 1, 1)
        )


def test_the_industries_are_those_of_the_plan():
    names = [industry.name for industry in queries.industries()]
    assert names[:12] == [
        "生态旅游",
        "节能环保",
        "清洁生产",
        "清洁能源",
        "新能源汽车",
        "智能制造",
        "先进轨道交通",
        "通用航空",
        "现代农业",
        "医药健康",
        "冰雪运动",
        "现代物流",
    ]
    assert {"汽车", "中药", "跨境经贸", "人工智能", "光伏"} <= set(names)
    assert len(names) == len(set(names)) == 38
    assert all(industry.name_en for industry in Industry.objects.all())


def test_the_framework_has_seven_levels_and_is_found_by_its_key():
    levels = queries.levels(TODAY)
    assert [level.number for level in levels] == [1, 2, 3, 4, 5, 6, 7]
    key = levels[0].framework.key
    assert key == "lqf/1"
    assert queries.level_of(key, "4") == levels[3]
    for framework, number in (("lqf/2", "4"), (key, "8"), ("", ""), ("lqf", "x")):
        with pytest.raises(queries.UnknownItem):
            queries.level_of(framework, number)


def test_names_follow_the_readers_language():
    place = queries.region("220100", TODAY)
    with override("zh-hans"):
        assert str(place) == "长春市"
    with override("en"):
        assert str(place) == "Changchun"


def test_the_kinds_cover_what_the_bank_is_for():
    assert len(InstitutionKind) == 15
    assert len(OutcomeKind) == 9
    for kind in (*InstitutionKind, *OutcomeKind):
        assert len(kind.value) <= 40
        assert kind.label
