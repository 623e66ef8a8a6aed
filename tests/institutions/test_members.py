"""Who acts for an institution, and in which role."""

import threading

import pytest
from django.db import connections

from creditbank.institutions import operations, queries
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Member
from creditbank.institutions.operations import AlreadyMember, MembershipEnded, OwnRole
from creditbank.users.models import User
from creditbank.users.operations import PersonMismatch
from tests.institutions import cast

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize("role", list(Role))
def test_a_role_includes_those_before_it_and_none_after(role):
    order = [Role.VIEWER, Role.CLERK, Role.REVIEWER, Role.ADMIN]
    member = Member(role=role)
    assert [other for other in order if member.may(other)] == order[: order.index(role) + 1]


def test_a_member_is_staff_for_as_long_as_a_membership_lasts():
    one, other = cast.make_institution(), cast.make_institution()
    user = cast.make_user()
    first = operations.add_member(institution=one, user=user, role=Role.CLERK, acting_user=None)
    second = operations.add_member(institution=other, user=user, role=Role.VIEWER, acting_user=None)
    assert [member.institution for member in queries.memberships(user)] == [one, other]
    operations.end_member(member=first, acting_user=None)
    assert User.objects.get(pk=user.pk).is_staff
    assert queries.membership(user, one) is None
    operations.end_member(member=second, acting_user=None)
    operations.end_member(member=second, acting_user=None)
    assert not User.objects.get(pk=user.pk).is_staff


def test_the_ledgers_name_for_a_member_is_random_and_stays_resolvable():
    school = cast.make_institution()
    member = cast.make_member(school, username="zhang.san", display_name="张三")
    assert len(member.pseudonym) == 16
    assert "zhang" not in member.pseudonym.lower()
    operations.end_member(member=member, acting_user=None)
    found = queries.member_by_pseudonym(member.pseudonym)
    assert found is not None
    assert found.user.display_name == "张三"


def test_one_person_is_one_member_however_many_sign_ins():
    school = cast.make_institution()
    member = cast.make_member(school, serial=1)
    with pytest.raises(AlreadyMember):
        cast.make_member(school, Role.REVIEWER, serial=1)
    with pytest.raises(AlreadyMember):
        operations.add_member(
            institution=school, user=member.user, role=Role.ADMIN, acting_user=None
        )
    assert queries.members(school) == [member]


def test_nobody_gives_themselves_a_role():
    school = cast.make_institution()
    admin = cast.make_member(school, Role.ADMIN, serial=1)
    second_sign_in = cast.make_user()
    with pytest.raises(OwnRole):
        operations.add_member(
            institution=cast.make_institution(),
            user=second_sign_in,
            role=Role.REVIEWER,
            acting_user=admin.user,
            person_digest=cast.person(1),
        )
    with pytest.raises(OwnRole):
        operations.change_role(member=admin, role=Role.VIEWER, acting_user=admin.user)


def test_an_identity_that_was_seen_is_kept_and_never_exchanged():
    school = cast.make_institution()
    member = cast.make_member(school, serial=7)
    assert bytes(User.objects.get(pk=member.user_id).person_digest) == cast.person(7)
    with pytest.raises(PersonMismatch):
        operations.add_member(
            institution=cast.make_institution(),
            user=member.user,
            role=Role.CLERK,
            acting_user=None,
            person_digest=cast.person(8),
        )


def test_another_role_is_another_membership_with_another_pseudonym():
    school = cast.make_institution()
    clerk = cast.make_member(school, Role.CLERK)
    reviewer = operations.change_role(member=clerk, role=Role.REVIEWER, acting_user=None)
    assert reviewer.pseudonym != clerk.pseudonym
    assert not Member.objects.get(pk=clerk.pk).may(Role.VIEWER)
    assert queries.members(school) == [reviewer]
    again = operations.change_role(member=reviewer, role=Role.REVIEWER, acting_user=None)
    assert again == reviewer
    with pytest.raises(MembershipEnded):
        operations.change_role(member=clerk, role=Role.ADMIN, acting_user=None)


def test_two_administrators_who_add_one_user_at_once_make_one_member():
    school, user = cast.make_institution(), cast.make_user()
    gate = threading.Barrier(2)
    outcomes: list[str] = []

    def add() -> None:
        try:
            gate.wait()
            operations.add_member(institution=school, user=user, role=Role.CLERK, acting_user=None)
            outcomes.append("added")
        except AlreadyMember:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["added", "refused"]
    assert len(queries.members(school)) == 1
