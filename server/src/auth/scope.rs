//! Whom a permission reaches over: one person, looked at here, or a list of them, as a condition
//! that the database applies. Both say the same.

use ::entity::tenant::{member, team_member};
use sea_orm::sea_query::SelectStatement;
use sea_orm::{ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::permission::Scope;
use super::principal::Person;
use crate::db::TenantTx;

/// Whoever is to be reached, or whose things are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// The member.
    pub member_id: Uuid,
    /// Where they work.
    pub branch_id: Option<Uuid>,
    /// The teams they are in.
    pub teams: Vec<Uuid>,
}

/// Whether what somebody holds over `scope` reaches over somebody.
///
/// Each scope reaches over those before it: over a branch is also over one's teams, wherever their
/// people work, and over oneself. Who works nowhere is in nobody's branch.
pub fn reaches(scope: Scope, by: &Person, over: &Reached) -> bool {
    let own = by.id == over.member_id;
    let team = || by.teams.iter().any(|team| over.teams.contains(team));
    let branch = || by.branch_id.is_some() && by.branch_id == over.branch_id;
    match scope {
        Scope::All => true,
        Scope::Branch => own || team() || branch(),
        Scope::Team => own || team(),
        Scope::Own => own,
    }
}

/// A member, as [`reaches`] wants to know them.
///
/// # Errors
///
/// When the database refuses.
pub async fn reached(tx: &TenantTx, member: &member::Model) -> Result<Reached, DbErr> {
    Ok(Reached {
        member_id: member.id,
        branch_id: member.branch_id,
        teams: teams_of(tx, member.id).await?,
    })
}

/// The teams that a member is in.
///
/// # Errors
///
/// When the database refuses.
pub async fn teams_of(tx: &TenantTx, member: Uuid) -> Result<Vec<Uuid>, DbErr> {
    let teams = team_member::Entity::find()
        .select_only()
        .column(team_member::Column::TeamId)
        .filter(team_member::Column::MemberId.eq(member));
    teams.into_tuple().all(tx).await
}

/// The condition on `member` that holds for whom `scope` reaches: for lists of members.
pub fn members_within(scope: Scope, by: &Person) -> Condition {
    let mut any = Condition::any().add(member::Column::Id.eq(by.id));
    if scope == Scope::All {
        return Condition::all();
    }
    if scope >= Scope::Team && !by.teams.is_empty() {
        let colleagues = team_member::Entity::find()
            .select_only()
            .column(team_member::Column::MemberId)
            .filter(team_member::Column::TeamId.is_in(by.teams.iter().copied()));
        any = any.add(member::Column::Id.in_subquery(colleagues.into_query()));
    }
    if scope >= Scope::Branch
        && let Some(branch) = by.branch_id
    {
        any = any.add(member::Column::BranchId.eq(branch));
    }
    any
}

/// The ids of whom `scope` reaches, for a column that holds a member's id: sessions, records.
/// `None` when it reaches over all.
pub fn member_ids_within(scope: Scope, by: &Person) -> Option<SelectStatement> {
    let ids = member::Entity::find()
        .select_only()
        .column(member::Column::Id)
        .filter(members_within(scope, by));
    (scope != Scope::All).then(|| ids.into_query())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn somebody() -> Person {
        Person {
            id: id(1),
            email: String::new(),
            name: String::new(),
            role: "sales".to_owned(),
            role_id: None,
            branch_id: Some(id(10)),
            teams: vec![id(20)],
            token_version: 0,
        }
    }

    fn over(member: u128, branch: Option<u128>, teams: &[u128]) -> Reached {
        Reached {
            member_id: id(member),
            branch_id: branch.map(id),
            teams: teams.iter().copied().map(id).collect(),
        }
    }

    #[test]
    fn each_scope_reaches_over_those_before_it_and_no_further() {
        let by = somebody();
        let people = [
            (over(1, None, &[]), Scope::Own),
            (over(2, Some(11), &[20, 21]), Scope::Team),
            (over(3, Some(10), &[]), Scope::Branch),
            (over(4, Some(11), &[21]), Scope::All),
            (over(5, None, &[]), Scope::All),
        ];

        for (person, least) in &people {
            for scope in [Scope::Own, Scope::Team, Scope::Branch, Scope::All] {
                let expected = scope >= *least;
                assert_eq!(
                    reaches(scope, &by, person),
                    expected,
                    "{scope:?} {person:?}"
                );
            }
        }
    }

    #[test]
    fn who_works_nowhere_shares_no_branch_with_others_who_do_not() {
        let by = Person {
            branch_id: None,
            ..somebody()
        };

        assert!(!reaches(Scope::Branch, &by, &over(5, None, &[])));
    }
}
