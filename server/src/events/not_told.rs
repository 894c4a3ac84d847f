//! What is put on record and told to nobody.

/// What is put on record and told to nobody, and why.
pub const NOT_TOLD: &[(&str, &str)] = &[
    ("audit.export", LOOKED),
    ("email.ask", OWN),
    ("email.change", OWN),
    ("email.change_ask", OWN),
    ("email.verify", OWN),
    ("export.create", "an export tells when it is ready"),
    ("import.cancel", BY_ITSELF),
    ("import.create", BY_ITSELF),
    ("import.start", BY_ITSELF),
    ("import.undo", BY_ITSELF),
    ("member.mail_bounce", "it changes nothing that anybody does"),
    ("notification.read", OWN_READING),
    ("notification.read_all", OWN_READING),
    ("notification_preference.change", OWN_READING),
    ("password.change", OWN),
    ("password.forget", OWN),
    ("password.renew_hash", OWN),
    ("password.reset", OWN),
    ("second_factor.ask", OWN),
    ("second_factor.begin", OWN),
    ("second_factor.confirm", OWN),
    ("second_factor.refuse", OWN),
    ("second_factor.remove", OWN),
    ("second_factor.renew_recovery_codes", OWN),
    ("second_factor.reset", OWN),
    ("session.begin", OWN),
    ("session.end", OWN),
    ("session.end_all", OWN),
    ("session.end_others", OWN),
    ("session.refresh", OWN),
    ("session.step_up", OWN),
    ("switch.prepare", OWN),
    ("webhook_delivery.replay", TELLERS),
    ("webhook_endpoint.change", TELLERS),
    ("webhook_endpoint.create", TELLERS),
    ("webhook_endpoint.remove", TELLERS),
    ("webhook_endpoint.replay", TELLERS),
    ("webhook_endpoint.rotate", TELLERS),
    ("webhook_endpoint.test", TELLERS),
];

const OWN: &str = "how somebody signs in is no news for others";
const LOOKED: &str = "nothing has changed: somebody looked";
const BY_ITSELF: &str = "an import tells how far it is by itself";
const OWN_READING: &str = "what somebody has read, and how they want to be told, is their own";
const TELLERS: &str = "endpoints are told of others, not of each other";
