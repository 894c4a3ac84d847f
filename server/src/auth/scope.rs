//! Whether a permission reaches somebody.

use uuid::Uuid;

use super::permission::Scope;
use super::principal::Person;

/// Where somebody stands, as far as scopes go by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Who it is.
    pub member: Uuid,
    /// Where they work.
    pub branch: Option<Uuid>,
    /// The teams they are in.
    pub teams: Vec<Uuid>,
}

/// Whether a permission that `person` holds over `scope` reaches a member. Each scope reaches over
/// those before it; whoever is in no branch and no team reaches only themselves there.
pub fn within_scope(person: &Person, scope: Scope, target: &Reach) -> bool {
    let is_self = person.id == target.member;
    let shares_team = || person.teams.iter().any(|team| target.teams.contains(team));
    let shares_branch = || person.branch_id.is_some() && person.branch_id == target.branch;
    match scope {
        Scope::All => true,
        Scope::Branch => is_self || shares_team() || shares_branch(),
        Scope::Team => is_self || shares_team(),
        Scope::Own => is_self,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(branch: Option<u128>, teams: &[u128]) -> Person {
        Person {
            id: Uuid::from_u128(1),
            email: "somebody@acme.example".to_owned(),
            name: "Somebody".to_owned(),
            role: "branch_manager".to_owned(),
            role_id: None,
            branch_id: branch.map(Uuid::from_u128),
            teams: teams.iter().copied().map(Uuid::from_u128).collect(),
            token_version: 0,
        }
    }

    fn other(branch: Option<u128>, teams: &[u128]) -> Reach {
        Reach {
            member: Uuid::from_u128(2),
            branch: branch.map(Uuid::from_u128),
            teams: teams.iter().copied().map(Uuid::from_u128).collect(),
        }
    }

    #[test]
    fn each_scope_reaches_as_far_as_it_says() {
        let who = person(Some(10), &[20]);
        for (target, reached_by) in [
            (other(None, &[]), [true, false, false, false]),
            (other(Some(10), &[]), [true, true, false, false]),
            (other(Some(11), &[20, 21]), [true, true, true, false]),
            (other(Some(11), &[21]), [true, false, false, false]),
        ] {
            let scopes = [Scope::All, Scope::Branch, Scope::Team, Scope::Own];
            let seen = scopes.map(|scope| within_scope(&who, scope, &target));
            assert_eq!(seen, reached_by, "{target:?}");
        }
    }

    #[test]
    fn two_without_a_branch_do_not_share_one() {
        assert!(!within_scope(
            &person(None, &[]),
            Scope::Branch,
            &other(None, &[])
        ));
        let oneself = Reach {
            member: Uuid::from_u128(1),
            ..other(None, &[])
        };
        assert!(within_scope(&person(None, &[]), Scope::Own, &oneself));
    }
}
