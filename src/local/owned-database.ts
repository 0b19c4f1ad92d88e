import { Client } from "pg";

/** A database and the role that owns it; the role has no rights beyond it. */
export interface OwnedDatabase {
  /** The name of both. */
  name: string;
  /** Of the role; set again by each call. */
  password: string;
}

/**
 * Creates the role and the database where they are missing, and makes the role the owner of everything in it: in older
 * data folders the superuser owns it. `urlOf` returns the connection string of the superuser for a database. Rejects with
 * what Postgres or the driver reports.
 */
export async function ensureOwnedDatabase(
  urlOf: (database: string) => string,
  { name, password }: OwnedDatabase,
): Promise<void> {
  await withClient(urlOf("postgres"), async (client) => {
    const [role, database] = [client.escapeIdentifier(name), client.escapeIdentifier(name)];
    const roles = await client.query("select from pg_roles where rolname = $1", [name]);
    if (roles.rowCount === 0) await client.query(`create role ${role}`);
    await client.query(
      `alter role ${role} with login nosuperuser nocreatedb nocreaterole noreplication nobypassrls ` +
        `password ${client.escapeLiteral(password)}`,
    );
    const databases = await client.query("select from pg_database where datname = $1", [name]);
    if (databases.rowCount === 0) await client.query(`create database ${database}`);
    await client.query(`revoke all on database postgres, template1, ${database} from public`);
  });
  await withClient(urlOf(name), (client) => changeOwner(client, name));
}

/** In one transaction. The database itself is last: if it belongs to the role, everything in it does. */
async function changeOwner(client: Client, name: string): Promise<void> {
  const owner = await client.query(
    "select from pg_database where datname = current_database() and datdba = to_regrole($1)",
    [client.escapeIdentifier(name)],
  );
  if (owner.rowCount !== 0) return;
  await client.query("begin");
  const { rows } = await client.query<{ object: string }>(ownObjects);
  const objects = [...rows.map(({ object }) => object), `database ${client.escapeIdentifier(name)}`];
  for (const object of objects) await client.query(`alter ${object} owner to ${client.escapeIdentifier(name)}`);
  await client.query("commit");
}

/**
 * The objects of the current user, each by name: `reassign owned` refuses those of a superuser, because system objects are
 * among them. The sequence of a column and the row type of a table follow their table.
 */
const ownObjects = `
  with own as (select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'),
  belonging as (select classid, objid from pg_depend where deptype in ('e', 'a', 'i'))
  select format('schema %I', nspname) as object from own join pg_namespace using (oid, nspname)
    where nspowner = current_user::regrole
  union all
  select format('%s %s', case relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view'
      when 'f' then 'foreign table' else 'table' end, c.oid::regclass)
    from pg_class c join own on own.oid = relnamespace
    where relowner = current_user::regrole and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and not (relkind = 'S' and exists (select from belonging where classid = 'pg_class'::regclass and objid = c.oid))
  union all
  select format('type %s', t.oid::regtype) from pg_type t join own on own.oid = typnamespace
    where typowner = current_user::regrole and typtype in ('e', 'd', 'r')
  union all
  select format('routine %s', p.oid::regprocedure) from pg_proc p join own on own.oid = pronamespace
    where proowner = current_user::regrole
      and not exists (select from belonging where classid = 'pg_proc'::regclass and objid = p.oid)`;

/** For one statement. A Postgres that has just been started answers at once, or is in trouble. */
const limitMs = 15_000;

async function withClient(connectionString: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: limitMs, query_timeout: limitMs });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
