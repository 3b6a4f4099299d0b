"""The style sheet of a page. No font and no picture is fetched; what is printed is light, whole, and has no buttons."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light; --ink: #1c2430; --soft: #5b6675; --paper: #f5f6f8; --card: #fff; --edge: #d9dee5;
  --code: #f1f3f6; --old: #7a5f15; --old-fill: #fdf6e0; --lead: #964406; --lead-fill: #fdebdc; --new: #14683f;
  --new-fill: #e3f5ea; --proxy: #28599c; --proxy-fill: #e6effb; --away: #586270; --away-fill: #eef0f3; --bad: #b3261e;
  --bad-fill: #fdeceb; --doubt: #7d5200; --doubt-fill: #fff5de; --note: #35608f; --note-fill: #eaf2fb }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; --ink: #e4e8ee; --soft: #9aa5b4;
  --paper: #12161c; --card: #1a2029; --edge: #303945; --code: #11161d; --old: #d9bb66; --old-fill: #2c2616;
  --lead: #f0a15e; --lead-fill: #36230f; --new: #6fcf97; --new-fill: #13291d; --proxy: #86b4f0; --proxy-fill: #16253a;
  --away: #a3adbb; --away-fill: #222933; --bad: #ff8a80; --bad-fill: #351a19; --doubt: #f2c063; --doubt-fill: #30260f;
  --note: #8fbdf0; --note-fill: #16253a }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif }
main { max-width: 1180px; margin: 0 auto; padding: 40px 24px 80px; overflow-wrap: break-word }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3em; letter-spacing: -.015em }
h2 { font-size: 1.4rem; line-height: 1.3; margin: 0 0 1em } h3 { font-size: 1.05rem; margin: 2.2em 0 .8em }
main > h2 { font-size: 1.05rem; margin: 2.2em 0 .8em }
p { margin: .5em 0 } .lead, .why, .done { color: var(--soft) }
section { background: var(--card); border: 1px solid var(--edge); border-radius: 14px; padding: 28px; margin-top: 28px }
nav a { display: inline-block; margin: .6em .6em 0 0; padding: .2em .8em; border: 1px solid var(--edge);
  border-radius: 99px; color: inherit; text-decoration: none; background: var(--card) }
nav a.refused { border-color: var(--bad); color: var(--bad) }
.scroll { overflow-x: auto } svg { display: block; width: 100%; height: auto; margin: 0 auto 24px }
svg.medium, svg.narrow { display: none }
table { border-collapse: collapse; width: 100%; font-size: .92rem }
th { text-align: left; font-weight: 600; white-space: nowrap } thead th { color: var(--soft) }
td span { white-space: nowrap }
th, td { padding: .45em 1.1em .45em 0; border-bottom: 1px solid var(--edge); vertical-align: top }
code, pre { font: .86rem/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
.lines { background: var(--code); border: 1px solid var(--edge); border-radius: 8px; margin: .6em 0 }
.lines pre { display: flow-root; margin: 0; padding: .55em .7em .55em 1em; white-space: pre-wrap;
  overflow-wrap: anywhere }
.lines pre + pre { border-top: 1px solid var(--edge) }
button { font: .78rem/1.4 system-ui, sans-serif; color: var(--soft); background: var(--card); cursor: pointer;
  border: 1px solid var(--edge); border-radius: 6px; padding: .15em .7em; user-select: none }
button:hover { color: var(--ink); border-color: var(--soft) }
pre .copy { float: right; margin-left: 1em } .lines > .copy { display: block; margin: 0 .7em .6em auto }
.lines span { display: inline-block; max-width: 100%; vertical-align: top }
.done button { margin-left: 1em } .done button[hidden] { display: none }
.aside { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
.findings { list-style: none; padding: 0; margin: 0 }
.findings li { border-left: 4px solid; border-radius: 6px; padding: .6em 1em; margin: .5em 0 }
.findings .place { display: block; font-size: .86rem; color: var(--soft); overflow-wrap: anywhere }
.findings .remedy { display: block }
.findings + p { margin-top: 1.2em }
.findings b, .findings code { margin-right: .5em }
.findings .error { border-color: var(--bad); background: var(--bad-fill) } .error b { color: var(--bad) }
.findings .review { border-color: var(--doubt); background: var(--doubt-fill) } .review b { color: var(--doubt) }
.findings .info { border-color: var(--note); background: var(--note-fill) } .info b { color: var(--note) }
ol.runbook { list-style: none; padding: 0; margin: 0 }
ol.runbook > li { border-top: 1px solid var(--edge); padding: 1.1em 0 .6em }
.step { font-size: 1.05rem; margin: 0 }
.step label { display: flex; gap: .7em; align-items: baseline; cursor: pointer }
.step input { width: 1.05em; height: 1.05em; accent-color: var(--new); flex: none }
.step:has(input:checked) { color: var(--soft); text-decoration: line-through }
.step-body { margin-left: 1.8em } .step-body h5 { margin: 1em 0 .2em; font-size: .92rem }
.check { margin-top: 1em } .check b { color: var(--new) }
.back summary { cursor: pointer; color: var(--soft); margin: .8em 0 .2em; font-size: .92rem }
.panel { fill: none; stroke: var(--edge); stroke-width: 1.5 }
.heading { font: 600 19px system-ui, sans-serif; fill: var(--soft) }
.peers { stroke: var(--soft); stroke-width: 1.4; opacity: .5 }
.follows { stroke: var(--away); stroke-width: 1.4; stroke-dasharray: 5 5 }
.arrow { fill: none; stroke: var(--soft); stroke-width: 3; stroke-linecap: round; stroke-linejoin: round }
.node rect { stroke-width: 1.8 } .node text { fill: var(--ink) }
.name { font: 600 15px system-ui, sans-serif } .node .role { font: 13px system-ui, sans-serif; text-anchor: end }
.node .role.below { font-size: 14px; text-anchor: start }
.node .address { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: var(--soft) }
.node.member rect { fill: var(--old-fill); stroke: var(--old) } .node.member .role { fill: var(--old) }
.node.leader rect { fill: var(--lead-fill); stroke: var(--lead); stroke-width: 2.6 }
.node.leader .role { fill: var(--lead); font-weight: 600 }
.node.standby rect { fill: var(--away-fill); stroke: var(--away); stroke-dasharray: 6 4 }
.node.standby .role { fill: var(--away) }
.node.new rect { fill: var(--new-fill); stroke: var(--new) } .node.new .role { fill: var(--new) }
.node.proxy rect { fill: var(--proxy-fill); stroke: var(--proxy); stroke-dasharray: 6 4 }
.node.proxy .role { fill: var(--proxy) }
@media (max-width: 1179px) { svg.wide { display: none } svg.medium { display: block } }
@media (max-width: 640px) { svg.medium { display: none } svg.narrow { display: block } }
@media screen and (max-width: 960px) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  table, tr, th, td { display: block }
  tbody { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(310px, 100%), 1fr)); column-gap: 2em }
  tr { border-bottom: 1px solid var(--edge); padding: .6em 0 }
  tbody th, td { border: 0; padding: .1em 0 .1em 6.5em; overflow-wrap: anywhere }
  tbody th, td span { white-space: normal }
  td span { display: inline-block; max-width: 100%; vertical-align: top }
  td:empty { display: none }
  td::before { content: attr(data-heading); float: left; width: 6em; margin-left: -6.5em; color: var(--soft) }
  tbody th { padding-left: 0; font-size: 1rem }
}
@media screen and (max-width: 640px) {
  main { padding: 20px 12px } section { padding: 16px } .step-body { margin-left: 0 }
  .lines pre { font-size: .78rem } pre .copy { margin-top: -.2em; margin-bottom: -.4em }
}
@media print {
  @page { margin: 14mm }
  body { background: none; font-size: 10pt } main { max-width: none; padding: 0 }
  section { border: 0; padding: 0; margin-top: 1.5em } section + section { break-before: page }
  nav, .done, .lines .copy { display: none }
  table { font-size: 8pt } th, td { padding-right: .8em } .scroll { overflow: visible }
  code, pre { font-size: 8.5pt }
  details::details-content { display: block; content-visibility: visible; block-size: auto; opacity: 1 }
  .back summary { list-style: none } summary::-webkit-details-marker { display: none }
  h1, h2, h3, h4, h5, summary, .check, .why { break-after: avoid }
  tr, pre, svg, .findings li, ol.runbook > li { break-inside: avoid }
}
"""
