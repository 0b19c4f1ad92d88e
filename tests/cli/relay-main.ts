// The command line of `npm run relay`, without the check that packages are installed: see relay-process.ts.
import { run } from "#cli/relay.ts";

await run(process.argv.slice(2));
