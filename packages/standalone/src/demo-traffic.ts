/** A campaign of the demo: one publish to many devices. */
export interface Campaign {
  readonly instanceId: string;
  readonly publishId: string;
  readonly title: string;
  readonly recipients: number;
  /** When it was sent, Unix ms. */
  readonly sentAt: number;
  /** Share of the openable devices that open it. */
  readonly appeal: number;
  /** Half of those who open do so within this time, s. */
  readonly medianToOpenSecs: number;
}

/** A request that an SDK makes. */
export interface DemoReport {
  readonly instanceId: string;
  /** When it arrives, Unix ms. */
  readonly at: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Numbers from 0 to 1, the same again for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const INSTANCES = [
  {
    id: "426abfc7-41fe-492f-bcf1-27586fa9bd3f",
    titles: [
      "Breaking: election result",
      "Morning briefing",
      "Match report",
      "Weather warning",
      "Evening briefing",
      "Puzzle of the day",
      "Live blog: summit",
      "Weekend reads",
    ],
    devices: 6_000,
  },
  {
    id: "0b9e5a36-3f0b-4d3c-9a41-6c1f2f3b7d10",
    titles: [
      "Flash sale: 3 hours left",
      "Your basket misses you",
      "New in: autumn",
      "Free delivery today",
      "Order shipped",
      "Price drop on your list",
    ],
    devices: 3_500,
  },
  {
    id: "c1d7a9f2-8a64-4b57-8f0e-2b9b0d6e4a55",
    titles: ["Your ride is here", "Rate your trip", "Rain ahead: book early", "Invite a friend"],
    devices: 1_500,
  },
] as const;

/** Campaigns of some hours before `now`, of very different sizes. */
export function demoCampaigns(
  now: number,
  overMs: number,
  random: () => number,
): readonly Campaign[] {
  return INSTANCES.flatMap(({ id, titles, devices }) =>
    titles.map((title, index) => ({
      instanceId: id,
      publishId: `pubid-${uuidFrom(random)}`,
      title,
      recipients: Math.ceil(devices * 10 ** (-1.3 * random())),
      // The last one is still under way when the demo ends.
      sentAt: now - overMs * (1 - (index + 0.6 * random()) / titles.length) * 0.97,
      appeal: 0.03 + 0.3 * random() ** 2,
      medianToOpenSecs: 20 * 40 ** random(),
    })),
  );
}

const CLIENTS = [
  { share: 0.5, library: "push-notifications-android 1.9.2", prefix: "", capital: true },
  { share: 0.3, library: "push-notifications-swift 4.0.1", prefix: "apns-", capital: true },
  { share: 0.2, library: null, prefix: "web-", capital: false },
] as const;

/** Share of the recipients whose device is on and says so. */
const REACHED = 0.86;
/** Share of the reports that are sent twice. */
const REPEATED = 0.02;

/** What the devices of a campaign report, in no order. */
export function reportsOf(campaign: Campaign, random: () => number): readonly DemoReport[] {
  return Array.from({ length: campaign.recipients }, (_, device) => device)
    .filter(() => random() < REACHED)
    .flatMap((device) => deviceReports(campaign, device, random));
}

function deviceReports(campaign: Campaign, device: number, random: () => number): DemoReport[] {
  const { instanceId, publishId, sentAt } = campaign;
  // A device keeps its client, its id and its user from campaign to campaign.
  const own = randomFrom(device * 7_919 + Number.parseInt(instanceId.slice(0, 7), 16));
  const client = pickClient(own());
  const deviceId = `${client.prefix}${uuidFrom(own)}`;
  const userId = own() < 0.4 ? `user-${Math.floor(own() * 100_000)}` : null;
  const clockOffMs = own() < 0.03 ? (own() - 0.5) * 7_200_000 : (own() - 0.5) * 2_000;
  const isBackground = random() < 0.8;
  const isDisplayable = random() < 0.95;
  const deliveredAt = sentAt + logNormal(4_000, 1.6, random);
  const make = (event: "Delivery" | "Open", at: number, flags: object): DemoReport => ({
    instanceId,
    at: at + logNormal(150, 0.8, random),
    headers: client.library === null ? {} : { "x-pusher-library": client.library },
    body: {
      event: client.capital ? event : event.toLowerCase(),
      ...(client.capital ? { instanceId } : {}),
      deviceId,
      publishId,
      timestampSecs: Math.floor((at + clockOffMs) / 1_000),
      ...(userId === null && client.capital ? {} : { userId }),
      ...flags,
    },
  });
  const flags = {
    appInBackground: isBackground,
    hasDisplayableContent: isDisplayable,
    hasData: !isDisplayable,
  };
  const reports = [make("Delivery", deliveredAt, flags)];
  const appeal = isBackground && isDisplayable ? campaign.appeal : campaign.appeal / 10;
  if (random() < appeal)
    reports.push(
      make("Open", deliveredAt + logNormal(campaign.medianToOpenSecs * 1_000, 1.3, random), {}),
    );
  const repeated = reports.filter(() => random() < REPEATED);
  return [...reports, ...repeated.map((report) => ({ ...report, at: report.at + 10_000 }))];
}

function pickClient(at: number): (typeof CLIENTS)[number] {
  let sum = 0;
  return (
    CLIENTS.find(({ share }) => {
      sum += share;
      return at < sum;
    }) ?? CLIENTS[0]
  );
}

/** A burst and a long tail: half of the values are below `median`. */
function logNormal(median: number, sigma: number, random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(sigma * normal);
}

function uuidFrom(random: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join("-");
}
