//! The registry of problems: every error a client can meet, with its status and its meaning.

use actix_web::http::StatusCode;

/// Declares the registry: one line a code, so that it reads as the table it is.
macro_rules! registry {
    ($($name:ident $status:ident $slug:literal $title:literal;)+) => {
        /// What went wrong, as a stable name for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // the title is the documentation
        pub enum Code { $($name,)+ }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The status it is answered with.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// Its name in a URL, such as `item-not-found`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)+ }
            }

            /// What it means, for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

registry! {
    TenantUnknown NOT_FOUND "tenant-unknown" "No dealer lives at this address";
    TenantMismatch FORBIDDEN "tenant-mismatch" "The request names two different dealers";
    TenantProvisioning SERVICE_UNAVAILABLE "tenant-provisioning" "The dealer is being set up";
    TenantSuspended FORBIDDEN "tenant-suspended" "The dealer is suspended";
    TenantPastGrace PAYMENT_REQUIRED "tenant-past-grace" "The dealer's subscription has run out";
    TenantClosing FORBIDDEN "tenant-closing" "The dealer is closing: it can be read, and changed no more";
    TenantClosed GONE "tenant-closed" "The dealer has closed";
    TenantBusy SERVICE_UNAVAILABLE "tenant-busy" "The dealer has as many requests under way as it may have";
    TenantUpgrading SERVICE_UNAVAILABLE "tenant-upgrading" "The dealer's data is being upgraded";

    NotFound NOT_FOUND "not-found" "Nothing is here";
    MethodNotAllowed METHOD_NOT_ALLOWED "method-not-allowed" "The address does not take this method";
    BodyInvalid BAD_REQUEST "body-invalid" "The body can't be read";
    BodyTooLarge PAYLOAD_TOO_LARGE "body-too-large" "The body is larger than allowed";
    BodyTooSlow REQUEST_TIMEOUT "body-too-slow" "The body took too long to arrive";
    MediaTypeUnsupported UNSUPPORTED_MEDIA_TYPE "media-type-unsupported" "The body has another content type than expected";
    QueryInvalid BAD_REQUEST "query-invalid" "A query parameter can't be understood";
    CursorInvalid BAD_REQUEST "cursor-invalid" "The cursor does not belong to this list";
    FieldsInvalid UNPROCESSABLE_ENTITY "fields-invalid" "Some fields break their rules";
    PreconditionRequired PRECONDITION_REQUIRED "precondition-required" "A change needs If-Match with the ETag it is based on";
    PreconditionFailed PRECONDITION_FAILED "precondition-failed" "It was changed by somebody else in the meantime";

    SessionNotFound NOT_FOUND "session-not-found" "Session not found";
    NotificationNotFound NOT_FOUND "notification-not-found" "Notification not found";
    MemberNotFound NOT_FOUND "member-not-found" "Member not found";
    CsrfRefused FORBIDDEN "csrf-refused" "A request with cookies must come from the dealer's own page";
    OriginRefused FORBIDDEN "origin-refused" "Web pages of this origin may not ask this dealer";
    RateLimited TOO_MANY_REQUESTS "rate-limited" "Too many requests, wait a while";
    TooManyStreams TOO_MANY_REQUESTS "too-many-streams" "As many streams are open as may be, close one";
    UpgradeRequired UPGRADE_REQUIRED "upgrade-required" "This address speaks WebSocket only";
    IdempotencyKeyInvalid BAD_REQUEST "idempotency-key-invalid" "The Idempotency-Key can't be one";
    IdempotencyKeyBusy CONFLICT "idempotency-key-busy" "The same request is being done right now";
    IdempotencyKeyReused UNPROCESSABLE_ENTITY "idempotency-key-reused" "The Idempotency-Key was another request's";

    Unauthenticated UNAUTHORIZED "unauthenticated" "The request carries no valid access token";
    CredentialsWrong UNAUTHORIZED "credentials-wrong" "E-mail address or password is wrong";
    RefreshTokenInvalid UNAUTHORIZED "refresh-token-invalid" "The refresh token is not valid, sign in again";
    PermissionDenied FORBIDDEN "permission-denied" "The role does not allow this";
    SecondFactorMissing FORBIDDEN "second-factor-missing" "The role asks for a second factor: set one up first";
    ProofRequired FORBIDDEN "proof-required" "This needs a proof of who you are, a moment ago: step up";
    ProofWrong UNPROCESSABLE_ENTITY "proof-wrong" "The password or the code is not right";
    SecondFactorWrong UNAUTHORIZED "second-factor-wrong" "The code is not right, or the challenge is over";
    SecondFactorExists CONFLICT "second-factor-exists" "There is a second factor already: remove it first";
    SecondFactorNotFound NOT_FOUND "second-factor-not-found" "There is no second factor";
    SsoRequired FORBIDDEN "sso-required" "People of this domain sign in with their identity provider";
    SsoRefused UNAUTHORIZED "sso-refused" "The identity provider's word is not taken";
    SsoStateInvalid BAD_REQUEST "sso-state-invalid" "This sign-in was not begun in this browser, or is over: begin anew";
    SsoConnectionNotFound NOT_FOUND "sso-connection-not-found" "There is no such identity provider";
    SsoConnectionNameTaken CONFLICT "sso-connection-name-taken" "Another identity provider has this name";
    SsoNotEnforceable CONFLICT "sso-not-enforceable" "Enforcing it now could lock everybody out";
    SsoDomainNotFound NOT_FOUND "sso-domain-not-found" "The identity provider has no such domain";
    SsoDomainTaken CONFLICT "sso-domain-taken" "Another identity provider has the domain";
    IdentityProviderUnavailable SERVICE_UNAVAILABLE "identity-provider-unavailable" "The identity provider does not answer as it should";
    TooManyAttempts TOO_MANY_REQUESTS "too-many-attempts" "Too many failed attempts, wait a while";

    InvitationNotFound NOT_FOUND "invitation-not-found" "Invitation not found";
    EmailTaken CONFLICT "email-taken" "A member of the team has this address";
    AlreadyInvited CONFLICT "already-invited" "An invitation to this address stands";
    LastOwner CONFLICT "last-owner" "The dealer would be without an owner";
    OwnersOnly FORBIDDEN "owners-only" "Only an owner makes an owner, changes one or unmakes one";
    GrantsTooMuch FORBIDDEN "grants-too-much" "Nobody gives or takes more than they hold";
    LinkInvalid BAD_REQUEST "link-invalid" "The link is not valid any more, ask for another one";
    MembershipNotFound NOT_FOUND "membership-not-found" "There is no such dealer among yours";
    SwitchRefused FORBIDDEN "switch-refused" "You have to sign in there";

    ItemNotFound NOT_FOUND "item-not-found" "Item not found";
    SkuTaken CONFLICT "sku-taken" "Another item has this SKU";
    BarcodeTaken CONFLICT "barcode-taken" "Another item has this barcode";
    GroupNotFound NOT_FOUND "item-group-not-found" "Item group not found";
    GroupNameTaken CONFLICT "item-group-name-taken" "Another group in the same place has this name";
    GroupNotEmpty CONFLICT "item-group-not-empty" "The group still holds items or groups";
    GroupCycle CONFLICT "item-group-cycle" "A group can't lie within itself";
    UnitNotFound NOT_FOUND "unit-not-found" "Unit not found";
    UnitCodeTaken CONFLICT "unit-code-taken" "Another unit has this code";
    UnitInUse CONFLICT "unit-in-use" "The unit is used by items";

    RoleNotFound NOT_FOUND "role-not-found" "Role not found";
    RoleNameTaken CONFLICT "role-name-taken" "Another role has this name";
    RoleInUse CONFLICT "role-in-use" "Members have the role, or are invited to it";
    GrantTooWide FORBIDDEN "grant-too-wide" "Nobody gives what they don't hold themselves";
    BranchNotFound NOT_FOUND "branch-not-found" "Branch not found";
    BranchNameTaken CONFLICT "branch-name-taken" "Another branch has this name";
    BranchInUse CONFLICT "branch-in-use" "Members or teams belong to the branch";
    TeamNotFound NOT_FOUND "team-not-found" "Team not found";
    TeamNameTaken CONFLICT "team-name-taken" "Another team has this name";
    ApiKeyNotFound NOT_FOUND "api-key-not-found" "API key not found";
    ApiKeyEnded CONFLICT "api-key-ended" "The API key is revoked or has expired";

    JobNotFound NOT_FOUND "job-not-found" "Job not found";
    PauseNotFound NOT_FOUND "pause-not-found" "Nothing is paused like this";
    JobStateWrong CONFLICT "job-state-wrong" "The job stands where this can't be done to it";
    WebhookEndpointNotFound NOT_FOUND "webhook-endpoint-not-found" "Webhook endpoint not found";
    WebhookEndpointDisabled CONFLICT "webhook-endpoint-disabled" "Nothing is sent to the webhook endpoint: enable it first";
    WebhookEndpointsTooMany CONFLICT "webhook-endpoints-too-many" "The dealer has as many webhook endpoints as it may have";
    WebhookDeliveryNotFound NOT_FOUND "webhook-delivery-not-found" "Webhook delivery not found";

    StorageFull INSUFFICIENT_STORAGE "storage-full" "There is no room for the file on our side";
    UploadInvalid BAD_REQUEST "upload-invalid" "The upload can't be read";
    MappingInvalid UNPROCESSABLE_ENTITY "mapping-invalid" "The mapping does not fit the file";
    ImportRunning CONFLICT "import-running" "Another import of this dealer is at work, try again after it";
    ImportNotFound NOT_FOUND "import-not-found" "Import not found";
    ImportStatusWrong CONFLICT "import-status-wrong" "The import does not stand where this can be done";
    ImportNotLast CONFLICT "import-not-last" "Another import was applied later: undo that one first";
    ImportForgotten GONE "import-forgotten" "The import ended long ago: only its numbers are kept";
    ImportGivenUp INTERNAL_SERVER_ERROR "import-given-up" "The import could not be finished, and nothing of it is in the catalogue: send the file again";
    ImportLeftBehind INTERNAL_SERVER_ERROR "import-left-behind" "What the import did could not be taken back as a whole: undo it";
    ImportRejected CONFLICT "import-rejected" "More rows are rejected than was allowed";
    ImportProfileNotFound NOT_FOUND "import-profile-not-found" "Import profile not found";
    ImportProfileNameTaken CONFLICT "import-profile-name-taken" "Another import profile has this name";
    FileUnreadable UNPROCESSABLE_ENTITY "file-unreadable" "The file is no price file that can be read";

    ExportNotFound NOT_FOUND "export-not-found" "Export not found";
    ExportNotReady CONFLICT "export-not-ready" "The export has no file, or none yet";

    AuditRecordNotFound NOT_FOUND "audit-record-not-found" "Audit record not found";

    TenantNotFound NOT_FOUND "tenant-not-found" "There is no such tenant";
    OwnerPresent CONFLICT "owner-present" "The dealer has an owner, who invites others";
    TenantHeld CONFLICT "tenant-held" "The dealer is under legal hold";
    ExportKept CONFLICT "export-kept" "The dealer's export has to be kept for longer";
    TenantStatusWrong CONFLICT "tenant-status-wrong" "The tenant does not stand where this begins";
    TenantBeingArchived CONFLICT "tenant-being-archived" "The tenant's tables are being dropped already";
    SlugTaken CONFLICT "slug-taken" "Another tenant has this slug, or had it";
    TenantBeingCreated CONFLICT "tenant-being-created" "Somebody is making this tenant right now";
    TenantHalfMade CONFLICT "tenant-half-made" "The tenant was begun elsewhere: finish it there";
    TenantUnfinished SERVICE_UNAVAILABLE "tenant-unfinished" "The node did not say whether it has the tenant: send the same again";
    PlanNotFound NOT_FOUND "plan-not-found" "There is no such plan";
    NodeNotFound NOT_FOUND "node-not-found" "There is no such node";
    NodeUnreachable SERVICE_UNAVAILABLE "node-unreachable" "The node can't be reached";
    LaneNotFound NOT_FOUND "lane-not-found" "There is no such lane";
    LaneFull CONFLICT "lane-full" "The lane has no room";
    LaneRetiring CONFLICT "lane-retiring" "The lane is on its way out and takes nobody";
    LaneElsewhere CONFLICT "lane-elsewhere" "The lane is on another node";
    LaneMissing CONFLICT "lane-missing" "No other lane of the node has room";
    DomainNotClaimed NOT_FOUND "domain-not-claimed" "The tenant has no claim on this domain";
    DomainNotProven CONFLICT "domain-not-proven" "DNS does not show the record that proves the domain";
    DomainTaken CONFLICT "domain-taken" "Another tenant has the domain, and its record still stands";
    DnsUnavailable SERVICE_UNAVAILABLE "dns-unavailable" "DNS could not be asked";

    RunNotFound NOT_FOUND "run-not-found" "There is no such migration run";
    RunInProgress CONFLICT "run-in-progress" "Another migration run is not over";
    RunStateWrong CONFLICT "run-state-wrong" "The migration run does not stand where this can be done";
    RunTenantNotFound NOT_FOUND "run-tenant-not-found" "The migration run has no such tenant";
    RunTenantStateWrong CONFLICT "run-tenant-state-wrong" "The tenant can't be left out of the migration run any more";
    MigrationBroken CONFLICT "migration-broken" "A migration fails on a fresh schema; nobody was touched";
    MigrationDependsOnRows CONFLICT "migration-depends-on-rows" "A migration asks about rows, so it can't be said to all tenants";
    MigrationOneWay CONFLICT "migration-one-way" "There is no way back over a migration";
    NeededByServers CONFLICT "needed-by-servers" "Live servers need what would be taken away";
    NothingToRevert CONFLICT "nothing-to-revert" "The migration run has moved nobody who could be moved back";

    RequestTimedOut SERVICE_UNAVAILABLE "request-timed-out" "The request took too long";
    Conflict CONFLICT "conflict" "Another change was made at the same moment, try again";
    Unavailable SERVICE_UNAVAILABLE "unavailable" "The service is out of reach for a moment";
    Internal INTERNAL_SERVER_ERROR "internal" "Something went wrong on our side";
}

impl Code {
    /// Its name for programs, such as `item_not_found`.
    pub fn name(self) -> String {
        self.slug().replace('-', "_")
    }

    /// Its address, such as `/problems/item-not-found`.
    pub fn uri(self) -> String {
        format!("/problems/{}", self.slug())
    }

    /// The code for an answer that one of our libraries made.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::MediaTypeUnsupported,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimedOut,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            status if status.is_client_error() => Self::BodyInvalid,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_an_error_status() {
        let slugs: HashSet<_> = Code::ALL.iter().map(|code| code.slug()).collect();

        assert_eq!(slugs.len(), Code::ALL.len());
        assert!(
            Code::ALL
                .iter()
                .all(|code| code.status().is_client_error() || code.status().is_server_error())
        );
        assert!(
            slugs
                .iter()
                .all(|slug| slug.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
        );
    }
}
