// `node --import` of this file changes one place of the built consumer while it is loaded: the mutant in the variable MUTANT.
import { register } from "node:module";
import process from "node:process";

register("./mutating-loader.mjs", import.meta.url, { data: JSON.parse(process.env.MUTANT) });
