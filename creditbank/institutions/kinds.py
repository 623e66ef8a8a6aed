"""The closed lists: kinds of institutions and outcomes, roles, states.

A new member needs code (how an outcome of that kind is told from the next one,
who may award it), so these are enumerations and not tables. Regions,
industries and qualification levels change without code and are tables.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class InstitutionKind(models.TextChoices):
    """What an institution is (办学机构类型)."""

    UNIVERSITY = "university", _("普通高等学校")
    VOCATIONAL_COLLEGE = "vocational-college", _("高等职业院校")
    SECONDARY_VOCATIONAL = "secondary-vocational", _("中等职业学校（含技工学校）")
    COUNTY_VOCATIONAL_CENTRE = "county-vocational-centre", _("县级职业教育中心")
    OPEN_UNIVERSITY = "open-university", _("开放大学")
    COMMUNITY_EDUCATION_CENTRE = "community-education-centre", _("社区教育中心")
    LEARNING_CENTRE = "learning-centre", _("学习中心")
    ASSESSMENT_ORGANISATION = "assessment-organisation", _("职业教育培训评价组织")
    TRAINING_CENTRE = "training-centre", _("培训中心")
    ENTERPRISE_UNIVERSITY = "enterprise-university", _("企业大学")
    ENTERPRISE = "enterprise", _("企业")
    PROFESSIONAL_ASSOCIATION = "professional-association", _("行业组织")
    SKILLS_COMPETITION_BODY = "skills-competition-body", _("技能竞赛组织机构")
    BANK = "bank", _("学分银行")
    PROVINCIAL_AUTHORITY = "provincial-authority", _("省级主管部门")


class InstitutionStatus(models.TextChoices):
    """Whether an institution may record at present."""

    ACTIVE = "active", _("正常")
    SUSPENDED = "suspended", _("暂停")


class OutcomeKind(models.TextChoices):
    """What a learning outcome is (成果类型)."""

    COURSE = "course", _("课程")
    X_CERTIFICATE = "x-certificate", _("1+X 职业技能等级证书")
    SKILL_LEVEL = "skill-level", _("职业技能等级证书（人社）")
    TRAINING = "training", _("培训")
    COMMUNITY = "community", _("社区学习")
    CONTINUING_EDUCATION = "continuing-education", _("继续教育学时")
    COMPETITION = "competition", _("技能竞赛")
    WORK_EXPERIENCE = "work-experience", _("工作经历")
    APPRENTICESHIP = "apprenticeship", _("学徒制")


class Category(models.TextChoices):
    """What an outcome's credits count as; with value and level the third mark of a credit."""

    DEGREE = "degree", _("学历教育")
    VOCATIONAL = "vocational", _("职业培训")
    CONTINUING = "continuing", _("继续教育")
    LEISURE = "leisure", _("文化休闲")
    ACHIEVEMENT = "achievement", _("业绩成果")


class XLevel(models.TextChoices):
    """The three levels of a 1+X certificate."""

    BASIC = "初级", _("初级")
    INTERMEDIATE = "中级", _("中级")
    ADVANCED = "高级", _("高级")


class SkillLevel(models.TextChoices):
    """The five levels of the human-resources authorities' certificates; 1 is the highest."""

    FIVE = "5", _("五级（初级工）")
    FOUR = "4", _("四级（中级工）")
    THREE = "3", _("三级（高级工）")
    TWO = "2", _("二级（技师）")
    ONE = "1", _("一级（高级技师）")


class Role(models.TextChoices):
    """What a member may do for an institution; each role includes those before it."""

    VIEWER = "viewer", _("查看")
    CLERK = "clerk", _("经办")
    REVIEWER = "reviewer", pgettext_lazy("角色", "复核")
    ADMIN = "admin", pgettext_lazy("角色", "管理")

    def includes(self, other: Role) -> bool:
        """Say whether this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class StreamMode(models.TextChoices):
    """Who holds a stream's signing key."""

    HOSTED = "hosted", _("由学分银行代为保管密钥")
    OWN = "own", _("机构自持密钥")


class StreamPurpose(models.TextChoices):
    """What a stream is for."""

    RECORDING = "recording", _("记录学习成果")
    BANK = "bank", _("学分银行自身")


class ItemStatus(models.TextChoices):
    """Where a version of a catalogue item stands."""

    PROPOSED = "proposed", _("待核定")
    APPROVED = "approved", _("已核定")
    WITHDRAWN = "withdrawn", _("已退出")
