// An OpenID provider for tests: the certified `oidc-provider`, with people who sign in by naming
// themselves, clients that can be added while it runs, keys that can be changed, and a way to make
// it tell lies in its ID tokens.
//
// In the environment:
//   PORT     where it listens on 127.0.0.1; 0, which is usual, for a free port
//   ISSUER   what it calls itself; http://127.0.0.1:PORT unless set
//   CLIENTS  JSON: [{"client_id", "client_secret", "redirect_uris"}]
//   USERS    JSON: [{"email", "email_verified"}], with more claims if wanted: sub, name, groups
//
// The first line it prints is {"issuer": …}. It ends when its standard input does, so that nobody
// leaves one behind. POST /control/… with JSON changes it; see `controls`.

import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const clients = new Map();
const users = new Map();
const storage = new Map();
const asked = {};
const cookieKeys = [randomBytes(24).toString('hex')];
let keys = [newKey()];
// Nobody finds it in the published keys.
const stranger = newKey();
let lies = { claims: {}, signed_by: 'own' };
let provider;
let issuer;

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomBytes(8).toString('hex');
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}

/** Everything in one map, which outlives a change of keys. */
class Memory {
  constructor(model) {
    this.model = model;
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload) {
    storage.set(this.key(id), payload);
  }

  async find(id) {
    return this.model === 'Client' ? clients.get(id) : storage.get(this.key(id));
  }

  async findBy(field, value) {
    const mine = [...storage].filter(([key]) => key.startsWith(this.key('')));
    return mine.map(([, payload]) => payload).find((payload) => payload[field] === value);
  }

  async findByUid(uid) {
    return this.findBy('uid', uid);
  }

  async findByUserCode(code) {
    return this.findBy('userCode', code);
  }

  async consume(id) {
    storage.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    storage.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, payload] of storage) {
      if (payload.grantId === grantId) storage.delete(key);
    }
  }
}

function configuration() {
  return {
    adapter: Memory,
    clientBasedCORS: () => false,
    jwks: { keys },
    cookies: { keys: cookieKeys },
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'groups'],
    },
    // As the large providers do: whoever reads only the ID token still learns the address.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 3600, IdToken: 600, Interaction: 600, Session: 3600 },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, sub) => {
      const user = users.get(sub);
      return user && { accountId: sub, claims: () => ({ ...user }) };
    },
    // Nobody is asked whether the client may know what it asks for.
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  };
}

function begin() {
  provider = new Provider(issuer, configuration());
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path === '/token' && ctx.body?.id_token) {
      ctx.body = { ...ctx.body, id_token: retold(ctx.body.id_token) };
    }
  });
}

/** An ID token as the lies want it; a claim that is null is left out. */
function retold(token) {
  if (Object.keys(lies.claims).length === 0 && lies.signed_by === 'own') return token;
  const [header, payload] = token.split('.').slice(0, 2).map(decoded);
  const claims = { ...payload, ...lies.claims };
  for (const [name, value] of Object.entries(lies.claims)) {
    if (value === null) delete claims[name];
  }
  const algorithm = { none: 'none', public_key: 'HS256' }[lies.signed_by] ?? header.alg;
  const said = [{ ...header, alg: algorithm }, claims].map(encoded).join('.');
  return `${said}.${signature(said)}`;
}

function signature(said) {
  const by = (key) => sign('sha256', Buffer.from(said), { key, format: 'jwk' }).toString('base64url');
  switch (lies.signed_by) {
    case 'own': return by(keys[0]);
    // Under the name of our key, with another one.
    case 'stranger': return by(stranger);
    case 'none': return '';
    // The old trick: what everybody may know, used as the secret of a MAC.
    case 'public_key': return createHmac('sha256', keys[0].n).update(said).digest('base64url');
    default: throw new Error(`nobody signs as ${lies.signed_by}`);
  }
}

const decoded = (part) => JSON.parse(Buffer.from(part, 'base64url'));
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function addClient(client) {
  clients.set(client.client_id, {
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    ...client,
  });
}

/** Somebody new, or with a `sub` that is known, somebody whose claims are others now. */
function addUser(user) {
  const sub = user.sub ?? `user-${users.size + 1}`;
  users.set(sub, { email_verified: true, ...user, sub });
}

const controls = {
  clients: addClient,
  users: addUser,
  // {"keep": true}: what was signed with the old key is still good.
  'rotate-keys': ({ keep }) => {
    keys = [newKey(), ...(keep ? keys : [])];
    begin();
  },
  // {"claims": {"iss": "…"}, "signed_by": "own" | "stranger" | "none" | "public_key"}
  lies: ({ claims = {}, signed_by = 'own' }) => {
    lies = { claims, signed_by };
  },
  // How often each path was asked for.
  asked: () => asked,
};

async function control(name, req, res) {
  const answer = controls[name](JSON.parse((await read(req)) || '{}'));
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify(answer ?? {}));
}

/** The form in which people say who they are, and its answer. */
async function interaction(req, res) {
  if (req.method !== 'POST') {
    res.setHeader('content-type', 'text/html');
    res.end('<form method="post"><input name="login" type="email"><button>Sign in</button></form>');
    return;
  }
  const login = new URLSearchParams(await read(req)).get('login');
  const user = [...users.values()].find(({ email }) => email === login);
  const result = user
    ? { login: { accountId: user.sub } }
    : { error: 'access_denied', error_description: 'nobody has this address' };
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
}

async function read(req) {
  let text = '';
  for await (const chunk of req) text += chunk;
  return text;
}

const server = createServer((req, res) => {
  const { pathname } = new URL(req.url, 'http://localhost');
  const [, root, name] = pathname.split('/');
  if (root === 'control' && req.method === 'POST' && Object.hasOwn(controls, name)) {
    return void control(name, req, res).catch((error) => failed(res, error));
  }
  asked[pathname] = (asked[pathname] ?? 0) + 1;
  if (root === 'interaction') {
    return void interaction(req, res).catch((error) => failed(res, error));
  }
  provider.callback()(req, res);
});

function failed(res, error) {
  res.statusCode = 500;
  res.end(`${error.stack}\n`);
}

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  issuer = process.env.ISSUER ?? `http://127.0.0.1:${server.address().port}`;
  JSON.parse(process.env.CLIENTS ?? '[]').forEach(addClient);
  JSON.parse(process.env.USERS ?? '[]').forEach(addUser);
  begin();
  console.log(JSON.stringify({ issuer }));
});
process.stdin.resume().on('end', () => process.exit());
