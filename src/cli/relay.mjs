#!/usr/bin/env node
// The bin of package.json: `npx relay <command>`. Without dependencies, like the bootstrap, which installs them.
import { start } from "./bootstrap.mjs";

start("relay", process.argv.slice(2));
