/**
 * The console: the command line `quorate`. One door to the Swarm API, with no logic of consensus of its own: it reads
 * records, proposes them through clients, kills leaders on purpose, shows what happens and judges the result; and it hands histories to their judges.
 *
 * What it does not do: it decides nothing, keeps nothing, and installs signal handlers only in `main.ts`, never in the
 * library.
 */
export { FlightLedger } from "./flight-ledger.ts";
export { formatMs, formatNumber, formatTable } from "./table.ts";
