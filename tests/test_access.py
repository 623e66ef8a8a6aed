"""Who may touch what."""

from datetime import date, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.utils.functional import SimpleLazyObject

from creditbank import access
from creditbank.clock import today
from creditbank.institutions import operations
from creditbank.institutions.kinds import InstitutionKind, OutcomeKind, Role
from creditbank.institutions.models import Institution, Member
from creditbank.users.models import User
from creditbank.users.operations import bind_person
from learners import operations as learner_operations
from learners import queries as learner_queries
from learners.models import Learner
from tests.institutions import cast
from tests.learners import people
from tests.ledger.cast import make_college

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def _strict(settings):
    settings.STAFF_SECOND_FACTOR = True


def give_factor(user: User, kind: str = Authenticator.Type.TOTP) -> None:
    Authenticator.objects.create(user=user, type=kind, data={})


def staff(
    role: str = Role.CLERK, institution: Institution | None = None, *, serial: int | None = None
) -> Member:
    """A member who signs in with a second factor."""
    member = cast.make_member(institution or cast.make_institution(), role, serial=serial)
    give_factor(member.user)
    return member


def recording_clerk(mode: str = "hosted") -> Member:
    """A clerk of a school that may record courses."""
    clerk = staff()
    operations.grant_scope(
        institution=clerk.institution, outcome_kind=OutcomeKind.COURSE, valid_from=date(2024, 1, 1)
    )
    operations.add_stream(
        institution=clerk.institution, name="bank.example/school", mode=mode, acting_user=None
    )
    return clerk


def claimed(user: User | None = None) -> Learner:
    clerk = cast.make_member(cast.make_institution()).user
    learner = people.register()
    code = learner_operations.issue_claim_code(learner, clerk)
    return learner_operations.claim(user=user or cast.make_user(), code=code)


# -- for an institution -----------------------------------------------------------------------
@pytest.mark.parametrize("wanted", list(Role))
@pytest.mark.parametrize("held", list(Role))
def test_a_role_opens_what_it_includes_and_nothing_more(held, wanted):
    member = staff(held)
    order = list(Role)
    if order.index(held) >= order.index(wanted):
        found = access.institution_for(member.user, member.institution.slug, wanted)
        assert found == member.institution
        assert access.member_for(member.user, found.slug, wanted) == member
    else:
        with pytest.raises(access.Forbidden):
            access.institution_for(member.user, member.institution.slug, wanted)


def test_an_institution_is_not_found_by_those_who_are_no_members():
    member, other = staff(), staff(Role.ADMIN)
    for slug in (member.institution.slug, "nowhere"):
        with pytest.raises(access.NotFound):
            access.institution_for(other.user, slug)


def test_visitors_and_ended_users_find_nothing():
    member = staff(Role.ADMIN)
    slug = member.institution.slug
    User.objects.filter(pk=member.user_id).update(is_active=False)
    for user in (AnonymousUser(), User.objects.get(pk=member.user_id)):
        with pytest.raises(access.NotFound):
            access.institution_for(user, slug)
        with pytest.raises(access.NotFound):
            access.authority_for(user)
        with pytest.raises(access.NotFound):
            access.learner_for(user)


def test_a_user_as_a_request_carries_it_is_a_user():
    member = staff()
    lazy = SimpleLazyObject(lambda: User.objects.get(pk=member.user_id))
    assert access.institution_for(lazy, member.institution.slug) == member.institution


def test_rights_end_with_the_membership_at_once():
    member = staff(Role.ADMIN)
    operations.end_member(member=member, acting_user=None)
    with pytest.raises(access.NotFound):
        access.institution_for(member.user, member.institution.slug)


def test_a_lower_role_counts_at_once():
    member = staff(Role.REVIEWER)
    operations.change_role(member=member, role=Role.VIEWER, acting_user=None)
    with pytest.raises(access.Forbidden):
        access.institution_for(member.user, member.institution.slug, Role.CLERK)


def every_staff_path(member: Member):
    slug, user = member.institution.slug, member.user
    return {
        "member_for": lambda: access.member_for(user, slug),
        "institution_for": lambda: access.institution_for(user, slug),
        "stream_for_recording": lambda: access.stream_for_recording(
            user, member.institution, [OutcomeKind.COURSE]
        ),
        "approver_for": lambda: access.approver_for(user, member.institution, cast.make_user()),
        "item_for_proposal": lambda: access.item_for_proposal(user, slug, "X", 1),
        "learner_to_hand_code": lambda: access.learner_to_hand_code(user, slug, people.resident()),
        "learner_to_promise": lambda: access.learner_to_promise(user, slug, people.resident()),
        "entry_for_institution": lambda: access.entry_for_institution(user, slug, 1),
        "authority_for": lambda: access.authority_for(user),
        "item_for_decision": lambda: access.item_for_decision(user, "X", 1),
    }


def authority() -> Institution:
    return cast.make_institution(kind=InstitutionKind.PROVINCIAL_AUTHORITY)


def test_every_path_of_staff_demands_the_second_factor():
    member = cast.make_member(authority(), Role.ADMIN)
    paths = every_staff_path(member)
    for name, path in paths.items():
        with pytest.raises(access.SecondFactorRequired):
            path()
        assert name
    # The list above holds every function that takes part in an institution's work.
    public = {
        name
        for name, thing in vars(access).items()
        if callable(thing)
        and getattr(thing, "__module__", "") == access.__name__
        and not isinstance(thing, type)
        and not name.startswith("_")
    }
    assert public - paths.keys() == {
        "learner_for",
        "entry_for_learner",
        "same_person",
        "require_other_person",
        "refuse_own_award",
        "require_second_factor",
        "note_denial",
        "note_view",
        "note_export",
    }


def test_recovery_codes_alone_are_no_second_factor():
    member = cast.make_member(cast.make_institution())
    give_factor(member.user, Authenticator.Type.RECOVERY_CODES)
    with pytest.raises(access.SecondFactorRequired):
        access.institution_for(member.user, member.institution.slug)
    give_factor(member.user, Authenticator.Type.WEBAUTHN)
    assert access.institution_for(member.user, member.institution.slug)


def test_a_demonstration_may_go_without_the_second_factor(settings):
    settings.STAFF_SECOND_FACTOR = False
    member = cast.make_member(cast.make_institution())
    assert access.institution_for(member.user, member.institution.slug) == member.institution


def test_the_authority_is_an_institution_of_that_kind():
    member = staff(Role.REVIEWER, authority())
    assert access.authority_for(member.user) == member
    with pytest.raises(access.Forbidden):
        access.authority_for(member.user, Role.ADMIN)
    with pytest.raises(access.NotFound):
        access.authority_for(staff(Role.ADMIN).user)


# -- recording --------------------------------------------------------------------------------
def test_a_clerk_records_into_the_hosted_stream():
    clerk = recording_clerk()
    stream = access.stream_for_recording(clerk.user, clerk.institution, [OutcomeKind.COURSE])
    assert stream.name == "bank.example/school"
    viewer = staff(Role.VIEWER, clerk.institution)
    with pytest.raises(access.Forbidden):
        access.stream_for_recording(viewer.user, clerk.institution, [OutcomeKind.COURSE])
    with pytest.raises(access.NotFound):
        access.stream_for_recording(staff().user, clerk.institution, [OutcomeKind.COURSE])


def test_kinds_outside_the_scope_are_named():
    clerk = recording_clerk()
    with pytest.raises(access.OutsideScope) as refused:
        access.stream_for_recording(
            clerk.user,
            clerk.institution,
            [OutcomeKind.TRAINING, OutcomeKind.COURSE, OutcomeKind.COMMUNITY],
        )
    assert refused.value.facts == {"outcome_kinds": ["community", "training"]}


def test_a_scope_that_has_ended_is_none():
    clerk = recording_clerk()
    scope = clerk.institution.scopes.get()
    operations.end_scope(scope=scope, last_day=today() - timedelta(days=1), acting_user=None)
    with pytest.raises(access.OutsideScope):
        access.stream_for_recording(clerk.user, clerk.institution, [OutcomeKind.COURSE])


def test_a_suspended_institution_records_nothing():
    clerk = recording_clerk()
    operations.suspend_institution(institution=clerk.institution, acting_user=None)
    with pytest.raises(access.InstitutionSuspended):
        access.stream_for_recording(clerk.user, clerk.institution, [OutcomeKind.COURSE])


def test_an_institution_with_its_own_key_has_no_form():
    clerk = recording_clerk("own")
    with pytest.raises(access.OwnKeyStream):
        access.stream_for_recording(clerk.user, clerk.institution, [OutcomeKind.COURSE])


# -- four eyes --------------------------------------------------------------------------------
def test_another_person_whose_document_was_seen_approves():
    clerk = staff(serial=1)
    reviewer = staff(Role.REVIEWER, clerk.institution, serial=2)
    assert access.approver_for(reviewer.user, clerk.institution, clerk.user) == reviewer
    with pytest.raises(access.Forbidden):
        access.approver_for(clerk.user, clerk.institution, reviewer.user)


def test_who_prepared_does_not_approve_under_any_sign_in():
    reviewer = staff(Role.REVIEWER, serial=1)
    second_sign_in = cast.make_user()
    bind_person(user=second_sign_in, digest=cast.person(1))
    for prepared_by in (reviewer.user, second_sign_in):
        assert access.same_person(prepared_by, reviewer.user)
        with pytest.raises(access.SamePerson):
            access.approver_for(reviewer.user, reviewer.institution, prepared_by)


def test_four_eyes_are_not_counted_with_somebody_unknown():
    reviewer, unknown = staff(Role.REVIEWER, serial=1), staff()
    assert not access.same_person(unknown.user, reviewer.user)
    with pytest.raises(access.PersonUnknown) as refused:
        access.approver_for(reviewer.user, reviewer.institution, unknown.user)
    assert refused.value.facts == {"user": unknown.user_id}
    with pytest.raises(access.PersonUnknown):
        access.require_other_person(reviewer.user, unknown.user)


# -- oneself ----------------------------------------------------------------------------------
def test_a_learner_finds_their_own_account_and_nobody_elses():
    mine, other = claimed(), claimed()
    assert access.learner_for(mine.user) == mine
    assert access.learner_for(other.user) == other
    with pytest.raises(access.NotFound):
        access.learner_for(cast.make_user())


def test_nobody_awards_to_the_learner_they_have_claimed():
    clerk = cast.make_user()
    learner = claimed(clerk)
    with pytest.raises(access.OwnAward):
        access.refuse_own_award(clerk, learner)
    access.refuse_own_award(clerk, claimed())


def test_nobody_awards_to_their_own_identity_claimed_or_waiting_or_under_another_sign_in():
    waiting = people.register()
    clerk = cast.make_user()
    bind_person(user=clerk, digest=bytes(waiting.identity_digest or b""))
    with pytest.raises(access.OwnAward):
        access.refuse_own_award(clerk, waiting)
    claimed_later = learner_operations.claim(
        user=cast.make_user(),
        code=learner_operations.issue_claim_code(waiting, cast.make_user()),
    )
    with pytest.raises(access.OwnAward):
        access.refuse_own_award(clerk, claimed_later)


def test_a_clerk_finds_the_learner_whose_document_is_on_the_desk_but_not_themselves():
    clerk, learner = staff(), people.register()
    slug = clerk.institution.slug
    document = learner_queries.identity(learner)
    assert access.learner_to_hand_code(clerk.user, slug, document) == learner
    with pytest.raises(access.NotFound):
        access.learner_to_hand_code(clerk.user, slug, people.resident())
    bind_person(user=clerk.user, digest=bytes(learner.identity_digest or b""))
    with pytest.raises(access.OwnAward):
        access.learner_to_hand_code(clerk.user, slug, document)
    viewer = staff(Role.VIEWER, clerk.institution)
    with pytest.raises(access.Forbidden):
        access.learner_to_hand_code(viewer.user, slug, document)


# -- catalogue --------------------------------------------------------------------------------
def test_an_institution_finds_its_own_items_and_the_authority_all():
    clerk, reviewer = staff(), staff(Role.REVIEWER, authority())
    own = cast.propose(clerk.institution)
    foreign = cast.propose(cast.make_institution())
    slug = clerk.institution.slug
    assert access.item_for_proposal(clerk.user, slug, own.code, 1) == own
    for code, version in ((foreign.code, 1), (own.code, 2), ("NONE", 1)):
        with pytest.raises(access.NotFound):
            access.item_for_proposal(clerk.user, slug, code, version)
    for item in (own, foreign):
        assert access.item_for_decision(reviewer.user, item.code, 1) == item
    with pytest.raises(access.NotFound):
        access.item_for_decision(reviewer.user, "NONE", 1)
    with pytest.raises(access.NotFound):
        access.item_for_decision(clerk.user, own.code, 1)


# -- entries ----------------------------------------------------------------------------------
def test_an_entry_is_found_by_its_learner_and_by_the_institution_that_recorded_it(bank):
    college = make_college()
    mine, other = claimed(), claimed()
    receipt = college.record(college.award(mine.account_id), college.award(other.account_id))
    index = receipt.first_index
    assert access.entry_for_learner(mine.user, index).account == mine.account_id
    clerk, stranger = staff(Role.VIEWER, college.institution), staff(Role.ADMIN)
    assert access.entry_for_institution(clerk.user, college.institution.slug, index)
    for refused_index in (index + 1, receipt.manifest_index, 10**6):
        with pytest.raises(access.NotFound):
            access.entry_for_learner(mine.user, refused_index)
    for refused_index in (1, receipt.manifest_index, 10**6):
        with pytest.raises(access.NotFound):
            access.entry_for_institution(clerk.user, college.institution.slug, refused_index)
    with pytest.raises(access.NotFound):
        access.entry_for_institution(stranger.user, stranger.institution.slug, index)
    with pytest.raises(access.NotFound):
        access.entry_for_institution(stranger.user, college.institution.slug, index)
