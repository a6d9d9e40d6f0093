/** The report's style sheet. Light and dark by the reader's preference; patterns and signs beside every colour. */
import { HISTORY_STYLE } from "./history-chart.ts";

export const STYLE: string = `
:root {
	color-scheme: light dark;
	--ground: #fcfcfb; --panel: #ffffff; --ink: #1c2024; --soft: #5b636b; --line: #dfe3e6; --faint: #eef1f3;
	--accent: #2457c5; --good: #17703b; --bad: #b3261e; --doubt: #8a5a00; --good-ground: #e4f4ea; --bad-ground: #fdeae8;
	--doubt-ground: #fff3d9; --process: #c9541c; --network: #6a4fc4; --storage: #007a82; --clock: #8a6d00;
	--membership: #4f6475; --area: #9db9ee; --shade: rgba(201, 84, 28, 0.06);
}
@media (prefers-color-scheme: dark) {
	:root {
		--ground: #14171a; --panel: #1b1f23; --ink: #e8ebee; --soft: #a2abb3; --line: #343a40; --faint: #262b30;
		--accent: #8db1ff; --good: #7bd69a; --bad: #ff9a91; --doubt: #ffcb66; --good-ground: #17301f; --bad-ground: #3b1b19;
		--doubt-ground: #352a10; --process: #ff9a5c; --network: #b3a0ff; --storage: #5cd0d8; --clock: #e6c84f;
		--membership: #a9bccb; --area: #35528f; --shade: rgba(255, 154, 92, 0.055);
	}
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 25px; line-height: 1.25; margin: 12px 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 40px 0 10px; }
p { margin: 6px 0; max-width: 82ch; overflow-wrap: anywhere; }
a { color: var(--accent); }
.verdict { display: inline-block; padding: 5px 14px 5px 11px; border-radius: 6px; border: 1.5px solid currentColor; font-weight: 650; letter-spacing: 0.02em; }
.verdict.pass { color: var(--good); background: var(--good-ground); }
.verdict.fail { color: var(--bad); background: var(--bad-ground); }
.verdict.inconclusive, .verdict.vacuous, .verdict.aborted { color: var(--doubt); background: var(--doubt-ground); }
.reasons { margin: 14px 0 0; padding-left: 20px; max-width: 92ch; }
.reasons li { margin: 3px 0; overflow-wrap: anywhere; }
.reasons li:first-child { font-weight: 600; }
.soft { color: var(--soft); }
.warning { border-left: 4px solid var(--doubt); background: var(--doubt-ground); padding: 8px 14px; margin: 16px 0 0; border-radius: 0 4px 4px 0; }
dl.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(168px, 1fr)); background: var(--panel); border: 1px solid var(--line); border-radius: 6px; overflow: hidden; margin: 22px 0 12px; }
dl.facts div { padding: 9px 14px; margin: 0 -1px -1px 0; border: solid var(--line); border-width: 0 1px 1px 0; }
dt { color: var(--soft); font-size: 12px; }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 11px 14px; overflow: auto; font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; margin: 6px 0; }
code { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 7px 14px; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
th { color: var(--soft); font-weight: 550; font-size: 12.5px; background: var(--faint); white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.mark { white-space: nowrap; font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); } .doubt { color: var(--doubt); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--soft); font-size: 13px; margin: 8px 2px; }
.legend svg { width: 22px; height: 12px; vertical-align: -1px; margin-right: 6px; }
svg.chart { display: block; width: 100%; min-width: 760px; height: auto; font: 11.5px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.chart text { fill: var(--soft); }
.chart .heading, .chart .label { fill: var(--ink); }
.chart .heading { font-weight: 600; }
.chart .unit { font-weight: 400; fill: var(--soft); }
.axis line, line.grid { stroke: var(--line); stroke-width: 1; }
.frame { fill: none; stroke: var(--line); }
.phases line { stroke: var(--soft); stroke-dasharray: 2 3; }
.bands rect { fill: var(--shade); }
.bar, .instant { stroke-width: 1.2; }
.process.bar { fill: var(--process); fill-opacity: 0.22; } .process { stroke: var(--process); fill: var(--process); }
.network.bar { fill: url(#network); stroke: var(--network); } .storage.bar { fill: url(#storage); stroke: var(--storage); }
.clock.bar { fill: url(#clock); stroke: var(--clock); } .membership.bar { fill: url(#membership); stroke: var(--membership); }
.network.instant { fill: var(--network); } .storage.instant { fill: var(--storage); } .clock.instant { fill: var(--clock); stroke: var(--clock); }
.membership.instant { fill: var(--membership); stroke: var(--membership); }
pattern .ground { fill: var(--panel); }
#network .ink { fill: var(--network); fill-opacity: 0.35; } #storage .ink { fill: var(--storage); fill-opacity: 0.5; }
#clock .ink { fill: var(--clock); fill-opacity: 0.45; } #membership .ink { fill: var(--membership); fill-opacity: 0.4; }
.faults g text { fill: var(--ink); paint-order: stroke; stroke: var(--panel); stroke-width: 3px; stroke-linejoin: round; }
.area { fill: var(--area); stroke: var(--accent); stroke-width: 1; }
.failures { fill: none; stroke: var(--bad); stroke-width: 1.6; stroke-dasharray: 5 3; }
.span { stroke: var(--area); stroke-width: 3; } .median { fill: var(--accent); }
.chart rect.leader { fill: var(--area); stroke: var(--accent); } .leader + text { fill: var(--ink); }
.term { fill: none; stroke: var(--accent); stroke-width: 1.8; }
.marks line, .member { stroke-width: 1.4; }
.marks line.violated { stroke: var(--bad); } .marks line.agreed { stroke: var(--good); stroke-dasharray: 6 3; }
.chart text.violated { fill: var(--bad); font-weight: 600; } .chart text.agreed { fill: var(--good); font-weight: 600; }
.member { stroke: var(--line); } .lead { stroke: var(--faint); stroke-width: 1; }
.message { stroke: var(--accent); stroke-width: 1.3; } .message.lost { stroke: var(--bad); stroke-dasharray: 3 2; }
.arrowhead, .dot, .square { fill: var(--accent); } .ring { fill: var(--panel); stroke: var(--good); stroke-width: 2; }
.cross { stroke: var(--bad); stroke-width: 2.2; fill: none; } .alarm { fill: var(--bad); }
.chart text.event { fill: var(--ink); } .chart text.time { font-variant-numeric: tabular-nums; }
summary { cursor: pointer; font-size: 17px; font-weight: 600; margin: 40px 0 10px; }
@media print { main { max-width: none; padding: 0; } .scroll { overflow: visible; } }
${HISTORY_STYLE}`;
