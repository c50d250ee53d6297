import { fileURLToPath } from "node:url";

/** Folder of the migrations, beside the code in sources and builds alike. */
export const SQL_FOLDER = fileURLToPath(new URL("../sql", import.meta.url));
