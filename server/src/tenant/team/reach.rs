//! Whom somebody sees, whom they may change, and what they may give: nobody gives more than they
//! hold, and owners are owners' business.

use ::entity::tenant::{member, team_member};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use super::error::TeamError;
use crate::auth::{Grants, Person, Principal, Scope};

/// Whoever looks at people or changes them, and how far that reaches.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    scope: Scope,
    person: Person,
    grants: Grants,
}

impl Reach {
    pub(super) fn of(principal: &Principal, scope: Scope) -> Self {
        Self {
            scope,
            person: principal.person.clone(),
            grants: principal.grants.clone(),
        }
    }

    /// Who it is.
    pub(super) fn person(&self) -> &Person {
        &self.person
    }

    /// The members within reach. Everybody reaches themselves.
    pub(super) fn members(&self) -> Condition {
        let themselves = member::Column::Id.eq(self.person.id);
        match self.scope {
            Scope::All => Condition::all(),
            Scope::Branch => Condition::any()
                .add(themselves)
                .add_option(self.own_branch().map(|id| member::Column::BranchId.eq(id))),
            Scope::Team => {
                let mates = Query::select()
                    .column(team_member::Column::MemberId)
                    .from(team_member::Entity)
                    .and_where(team_member::Column::TeamId.is_in(self.person.teams.clone()))
                    .to_owned();
                Condition::any()
                    .add(themselves)
                    .add(member::Column::Id.in_subquery(mates))
            }
            Scope::Own => Condition::all().add(themselves),
        }
    }

    /// The only branch that people may be put in; none when any will do.
    ///
    /// # Errors
    ///
    /// [`TeamError::OutOfReach`] when they may put people nowhere.
    pub(super) fn only_branch(&self) -> Result<Option<Uuid>, TeamError> {
        match (self.scope, self.own_branch()) {
            (Scope::All, _) => Ok(None),
            (Scope::Branch, Some(branch)) => Ok(Some(branch)),
            (Scope::Branch | Scope::Team | Scope::Own, _) => Err(TeamError::OutOfReach),
        }
    }

    /// The branch of somebody new: the one that was said, or the only one there can be.
    ///
    /// # Errors
    ///
    /// [`TeamError::OutOfReach`].
    pub(super) fn place(&self, said: Option<Uuid>) -> Result<Option<Uuid>, TeamError> {
        match (self.only_branch()?, said) {
            (None, said) => Ok(said),
            (Some(only), None) => Ok(Some(only)),
            (Some(only), Some(said)) if only == said => Ok(Some(only)),
            (Some(_), Some(_)) => Err(TeamError::OutOfReach),
        }
    }

    /// Whether they may make somebody this, or change somebody who is it.
    ///
    /// # Errors
    ///
    /// [`TeamError::OwnersOnly`], [`TeamError::GrantsTooMuch`].
    pub(super) fn covers(&self, role: member::Role, grants: &Grants) -> Result<(), TeamError> {
        if role == member::Role::Owner && !self.is_owner() {
            return Err(TeamError::OwnersOnly);
        }
        if grants.lie_within(&self.grants) {
            Ok(())
        } else {
            Err(TeamError::GrantsTooMuch)
        }
    }

    fn is_owner(&self) -> bool {
        let is_built_in = self.person.role_id.is_none();
        is_built_in && self.person.built_in_role() == Some(member::Role::Owner)
    }

    fn own_branch(&self) -> Option<Uuid> {
        self.person.branch_id
    }
}
