// Reads one delivery and says whether the published library accepts it: for `v1` the npm package
// `standardwebhooks`, unmodified; for `v1a`, which it does not know, Node's own Ed25519.
const crypto = require("node:crypto");
const { Webhook } = require("standardwebhooks");

const asked = JSON.parse(require("node:fs").readFileSync(0, "utf8"));

function symmetric() {
  try {
    new Webhook(asked.secret).verify(asked.body, asked.headers);
    return true;
  } catch {
    return false;
  }
}

function asymmetric() {
  const raw = Buffer.from(asked.public_key.replace(/^whpk_/, ""), "base64");
  const key = crypto.createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") },
    format: "jwk",
  });
  const { "webhook-id": id, "webhook-timestamp": at } = asked.headers;
  const content = Buffer.from(`${id}.${at}.${asked.body}`);
  return asked.headers["webhook-signature"]
    .split(" ")
    .filter((one) => one.startsWith("v1a,"))
    .some((one) => crypto.verify(null, content, key, Buffer.from(one.slice(4), "base64")));
}

const said = asked.secret ? symmetric() : asymmetric();
console.log(said ? "accepted" : "refused");
