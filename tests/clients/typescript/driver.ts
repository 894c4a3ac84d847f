// Does with the generated types what a customer does first, and prints what it saw.

import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import createClient from 'openapi-fetch';
import type { components, paths } from './tubex.d.ts';

type Problem = components['schemas']['ProblemOut'];

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

// Browsers know where `*.localhost` is; not every system does, and a request says where it goes by
// its address alone.
const lookup = dns.lookup;
dns.lookup = ((name: string, ...rest: [never, never]) =>
  lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest)) as typeof dns.lookup;

function expected<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const port = variable('TUBEX_ADDRESS').split(':')[1];
const tubex = createClient<paths>({ baseUrl: `http://${variable('TUBEX_HOST')}:${port}` });

const credentials = { email: variable('TUBEX_EMAIL'), password: variable('TUBEX_PASSWORD') };
const tokens = expected(await tubex.POST('/api/v1/auth/sign-in', { body: credentials }));
if (!('access_token' in tokens)) throw new Error('a second factor is asked for');
const { access_token } = tokens;
tubex.use({
  onRequest({ request }) {
    request.headers.set('Authorization', `Bearer ${access_token}`);
  },
});
const me = expected(await tubex.GET('/api/v1/me'));

const prices = readFileSync(variable('TUBEX_PRICE_FILE'), 'utf8');
const sent = expected(
  await tubex.POST('/api/v1/imports', {
    params: { query: { apply: true } },
    body: { file: prices },
    bodySerializer({ file }) {
      const form = new FormData();
      form.set('file', new Blob([file]), 'prices.csv');
      return form;
    },
  }),
);

const read = async () =>
  expected(await tubex.GET('/api/v1/imports/{id}', { params: { path: { id: sent.id } } }));
let report = await read();
while (report.finished_at === null) {
  await new Promise((done) => setTimeout(done, 50));
  report = await read();
}

const page = expected(
  await tubex.GET('/api/v1/items', { params: { query: { q: 'brick', limit: 10 } } }),
);
const [found] = page.data;
if (found === undefined) throw new Error('nothing was found');
const change = {
  params: { path: { id: found.id }, header: { 'If-Match': `"${found.version}"` } },
  body: { name: 'Red brick' },
};
const changed = expected(await tubex.PATCH('/api/v1/items/{id}', change));
const late = await tubex.PATCH('/api/v1/items/{id}', change);

const out = await tubex.POST('/api/v1/auth/sign-out');
if (out.response.status !== 204) throw new Error(JSON.stringify(out.error));
const nobody = await tubex.GET('/api/v1/me');

const saw = {
  email: me.email,
  created: report.counts.created,
  sku: found.sku,
  amount: found.price?.amount,
  name: changed.name,
  late: late.error?.code,
  after: nobody.error?.code,
};
console.log(JSON.stringify(saw));
