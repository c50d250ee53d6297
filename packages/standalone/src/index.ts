export { STANDALONE_OPTION_GROUPS } from "./config.js";
