import process from "node:process";
import { measureViews } from "./measure-views.js";
import { seedReports } from "./seed-reports.js";
import { openDataFolder } from "./seeded-database.js";

const USAGE = `analytics-main seed FOLDER [FROM TO]    writes 20 million reports into a data folder of standalone, or a part of them
analytics-main measure FOLDER           measures the analysts' views on them
`;

const [task, folder, from = "0", to = "1000000000"] = process.argv.slice(2);
if (folder === undefined || (task !== "seed" && task !== "measure")) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const client = await openDataFolder(folder);
  try {
    if (task === "seed")
      await seedReports(client, {
        from: Number(from),
        to: Number(to),
        progress: (text) => process.stdout.write(`${text}\n`),
      });
    else process.stdout.write(`${await measureViews(client)}\n`);
  } finally {
    await client.close();
  }
}
