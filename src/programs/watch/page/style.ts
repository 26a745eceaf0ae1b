/** The status page's looks: light or dark as the system wishes, from 390 pixels on. Contrasts are AA or better. */
export const style = `
:root {
  --page: #f5f6fa; --card: #ffffff; --line: #dfe2ea; --text: #171a21; --muted: #565d6d; --accent: #4f46e5;
  --good: #11753c; --good-soft: #dff5e7; --bad: #c0232c; --bad-soft: #fde7e8; --busy: #3a3fc4; --busy-soft: #e6e7fd;
  --warn: #8a5300; --warn-soft: #fdf0d5; --idle-soft: #eceef3; --bar: #8fa0b8; --on-accent: #ffffff; --track: #e3e6ee;
  --shadow: 0 1px 2px #10182814, 0 4px 16px #1018280a;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1116; --card: #161b22; --line: #2a313c; --text: #e8ebf1; --muted: #9aa4b5; --accent: #a5a8ff;
    --good: #52d188; --good-soft: #12301f; --bad: #ff8087; --bad-soft: #3a171b; --busy: #aeb2ff; --busy-soft: #23264d;
    --warn: #f2bd5c; --warn-soft: #35270d; --idle-soft: #252b35; --bar: #63738c; --on-accent: #12142b; --track: #2a313c;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.wide { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
h1, h2, h3, p, dl, dd, ul { margin: 0; padding: 0; }
h1 { font-size: 20px; letter-spacing: -.01em; }
h2 { font-size: 16px; letter-spacing: -.005em; }
h3 { font-size: 15px; overflow-wrap: anywhere; }
ul { list-style: none; }
a { color: var(--accent); }
.muted { color: var(--muted); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: 8px; top: -60px; background: var(--card); padding: 8px 12px; border-radius: 8px; z-index: 2; }
.skip:focus { top: 8px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
#entries:focus { outline: none; }
header { background: var(--card); border-bottom: 1px solid var(--line); }
header .wide { display: flex; align-items: center; gap: 10px; height: 60px; }
.mark { width: 30px; height: 30px; flex: none; }
.mark rect { fill: #4f46e5; }
.mark path { fill: none; stroke: #fff; stroke-width: 3; stroke-linecap: round; stroke-linejoin: round; }
#version { font-size: 13px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
#link { margin-left: auto; }
main { padding-top: 24px !important; }
section { margin-top: 28px; }
.line { display: flex; align-items: center; gap: 12px; flex-wrap: wrap; }
#searching { margin-left: auto; }
h2 + *, .line + * { margin-top: 10px; }
.line h2 + * { margin-top: 0; }
input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--bar); border-radius: 9px; padding: 6px 12px; }
#search { width: 260px; max-width: 100%; }
.card, .tiles > div { background: var(--card); border: 1px solid var(--line); border-radius: 14px; box-shadow: var(--shadow); }
.list > li + li { border-top: 1px solid var(--line); }
.list:empty { display: none; }
h2 ~ .empty { margin-top: 10px; }
.empty { color: var(--muted); border: 1px dashed var(--bar); border-radius: 14px; padding: 18px; text-align: center; }
.notice { background: var(--warn-soft); color: var(--warn); border-radius: 12px; padding: 12px 16px; margin-bottom: 16px; overflow-wrap: anywhere; }
.pill { display: inline-flex; align-items: center; gap: 7px; border-radius: 99px; padding: 2px 11px 2px 9px; font-size: 13px; font-weight: 600; white-space: nowrap; background: var(--idle-soft); color: var(--muted); }
.pill::before { content: ""; width: 8px; height: 8px; border-radius: 50%; background: currentColor; flex: none; }
.pill.good { background: var(--good-soft); color: var(--good); }
.pill.bad { background: var(--bad-soft); color: var(--bad); }
.pill.busy { background: var(--busy-soft); color: var(--busy); }
.pill.warn { background: var(--warn-soft); color: var(--warn); }
.pill.bad::before { border-radius: 2px; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 14px; }
.tiles > div { padding: 14px 18px; min-width: 0; }
.tiles dt { color: var(--muted); font-size: 13px; }
.tiles dd { font-size: 13px; min-height: 20px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.tiles dt + dd { font-size: 26px; font-weight: 650; line-height: 1.3; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
#tile-failing.bad dt + dd { color: var(--bad); }
progress { appearance: none; display: block; width: 100%; height: 8px; border: 0; border-radius: 99px; overflow: hidden; background: var(--track); color: var(--accent); }
progress::-webkit-progress-bar { background: var(--track); }
progress::-webkit-progress-value { background: var(--accent); border-radius: 99px; transition: width .4s linear; }
progress::-moz-progress-bar { background: var(--accent); border-radius: 99px; }
progress:indeterminate { background: linear-gradient(90deg, var(--track) 30%, var(--accent) 50%, var(--track) 70%) 0 / 300% 100%; animation: slide 1.6s linear infinite; }
progress:indeterminate::-webkit-progress-bar { background: transparent; }
@keyframes slide { from { background-position: 100% 0; } to { background-position: -50% 0; } }
.pair { padding: 14px 18px; }
.pair .route { font-weight: 600; margin-bottom: 8px; }
.route { overflow-wrap: anywhere; }
.numbers { font-size: 13px; margin-top: 6px; font-variant-numeric: tabular-nums; }
.job { display: grid; grid-template-columns: minmax(0, 1fr) 156px 216px 256px 88px; gap: 4px 16px; padding: 14px 18px; align-items: center; }
.job .what { grid-area: 1 / 1; } .job .state { grid-area: 1 / 2; } .job .chart { grid-area: 1 / 3; }
.job .times { grid-area: 1 / 4; } .job .run { grid-area: 1 / 5; }
.job .route, .job .plan { font-size: 13px; }
.job .state { justify-self: start; }
button.chart { display: flex; align-items: flex-end; gap: 6px; width: 216px; height: 44px; padding: 5px 8px; border: 1px solid transparent; border-radius: 8px; }
button.chart:hover, button.chart[aria-expanded=true] { background: var(--idle-soft); }
button.chart::after { content: ""; width: 7px; height: 7px; border: solid var(--muted); border-width: 0 2px 2px 0; rotate: 45deg; margin: 0 2px 6px; flex: none; }
button.chart[aria-expanded=true]::after { rotate: 225deg; margin-bottom: 1px; }
.bars { display: flex; align-items: flex-end; justify-content: flex-end; gap: 1px; flex: 1; height: 100%; min-width: 0; }
.bars i { flex: 1 1 0; max-width: 7px; min-height: 3px; border-radius: 2px 2px 0 0; background: var(--bar); }
.legend i { display: inline-block; width: 8px; height: 8px; border-radius: 2px; background: var(--bar); margin: 0 5px 0 8px; }
.legend { font-size: 13px; margin-left: 2px; }
.legend + * { margin-top: 8px; }
i.good { background: var(--good) !important; } i.bad { background: var(--bad) !important; } i.warn { background: var(--warn) !important; }
.times { font-size: 13px; display: grid; gap: 2px; }
.times > div { display: grid; grid-template-columns: 64px minmax(0, 1fr); }
.times dt { color: var(--muted); }
.whole { grid-column: 1 / -1; height: 4px; margin-top: 6px; }
.scroll { grid-column: 1 / -1; overflow-x: auto; margin-top: 6px; font-size: 13px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 10px; border-top: 1px solid var(--line); white-space: nowrap; }
th { color: var(--muted); font-weight: 600; border-top: 0; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td.bad { color: var(--bad); font-weight: 600; }
button { font: inherit; font-size: 13px; font-weight: 600; color: var(--text); background: transparent; border: 1px solid var(--bar); border-radius: 9px; padding: 6px 12px; cursor: pointer; white-space: nowrap; }
button:hover:not(:disabled) { border-color: var(--accent); color: var(--accent); }
button:disabled { color: var(--muted); border-color: var(--line); cursor: default; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.main:hover:not(:disabled) { color: var(--on-accent); filter: brightness(1.08); }
.failure { padding: 12px 18px; }
.failure .head { display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: center; }
.failure .to { overflow-wrap: anywhere; }
.failure .when { margin-left: auto; font-size: 13px; white-space: nowrap; }
.failure .error { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; margin: 6px 0 2px; overflow-wrap: anywhere; white-space: pre-wrap; }
.failure .entry { font-size: 13px; overflow-wrap: anywhere; }
.limit { display: grid; grid-template-columns: minmax(0, 220px) minmax(0, 1fr) auto; gap: 16px; padding: 12px 18px; align-items: center; }
.limit .name { overflow-wrap: anywhere; }
meter { width: 100%; height: 12px; }
footer { display: flex; flex-wrap: wrap; gap: 8px 24px; justify-content: space-between; padding-top: 24px !important; padding-bottom: 40px !important; font-size: 13px; }
nav a { margin-right: 14px; }
#failures-more { display: block; margin: 10px auto 0; }
#toast { position: fixed; left: 50%; bottom: 24px; translate: -50% 0; background: var(--text); color: var(--page); border-radius: 10px; padding: 10px 18px; max-width: calc(100vw - 32px); overflow-wrap: anywhere; z-index: 3; }
#toast:empty { display: none; }
dialog { border: 1px solid var(--line); border-radius: 16px; background: var(--card); color: var(--text); padding: 22px; width: min(420px, calc(100vw - 32px)); box-shadow: 0 20px 60px #0006; }
dialog::backdrop { background: #0007; }
dialog label { display: block; font-weight: 600; margin: 14px 0 4px; }
dialog input { width: 100%; }
dialog .muted { font-size: 13px; margin-top: 4px; overflow-wrap: anywhere; }
.wrong { color: var(--bad); font-size: 13px; }
.actions { display: flex; justify-content: flex-end; gap: 10px; margin-top: 18px; }
@media (max-width: 1000px) {
  .job { grid-template-columns: minmax(0, 1fr) auto; gap: 10px 14px; }
  .job .what { grid-area: 1 / 1; } .job .state { grid-area: 1 / 2; justify-self: end; align-self: start; }
  .job .chart { grid-area: 2 / 1 / 3 / 3; width: 100%; max-width: 420px; margin-left: -9px; }
  .job .times { grid-area: 3 / 1; } .job .run { grid-area: 3 / 2; align-self: end; }
}
@media (max-width: 640px) {
  .wide { padding: 0 14px; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 10px; }
  .tiles > div { padding: 10px 14px; }
  .tiles dt + dd { font-size: 19px; }
  #searching, #search { width: 100%; margin-left: 0; }
  .job, .pair, .failure { padding: 12px 14px; }
  .limit { grid-template-columns: 1fr auto; padding: 12px 14px; }
  .limit meter { grid-column: 1 / -1; grid-row: 2; }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
`
