#include "report/page_style.h"

namespace cmpost {

std::string_view page_style() {
  return R"css(
:root{--ink:#1b1f24;--dim:#545d68;--paper:#fff;--soft:#f3f5f7;--line:#c9d1d9;
--green:#1a7f37;--yellow:#f2b600;--red:#c62828;--yellow-ink:#7a5500;
--granted:#2f8f4e;--changed:#bfe3c9;--partly:#9cc9ee;--waiting:#ffe9a8;--refused:#c62828;--held:#5b3d8a}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6eaee;--dim:#a4adb7;--paper:#14181d;
--soft:#1f252c;--line:#3a434d;--green:#4cc06c;--red:#ff6b61;--yellow-ink:#ffd257;
--granted:#3fa862;--changed:#cdeed6;--partly:#a9d3f5;--waiting:#ffe9a8;--refused:#f0564c;--held:#a98be0}}
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:62rem;padding:1rem 1.25rem 3rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",Arial,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.35;margin:0 0 .6rem;font-weight:600}
h2{font-size:1.2rem;margin:2.2rem 0 .5rem}
h3{font-size:1rem;margin:1.4rem 0 .4rem}
p{margin:.3rem 0 .7rem}
.dim,.where{color:var(--dim)}
.where{margin:.5rem 0 0;font-size:.9rem}
code,pre,.hash{font-family:ui-monospace,"DejaVu Sans Mono",Consolas,monospace;font-size:.88em}
code{background:var(--soft);border:1px solid var(--line);border-radius:4px;padding:.05rem .35rem;
-webkit-box-decoration-break:clone;box-decoration-break:clone}
code span{white-space:nowrap}
pre{background:var(--soft);border:1px solid var(--line);border-radius:4px;padding:.6rem .8rem;white-space:pre-wrap}
.first{display:flex;gap:1.25rem;align-items:flex-start}
.lamps{flex:none;width:64px;height:164px}
.lamps .case{fill:#2b3036;stroke:#8b949e;stroke-width:1.5}
.lamps .off{fill:#4a525b;stroke:#6b747e;stroke-width:1}
.lamps .green{fill:#37b45a}.lamps .yellow{fill:#f2b600}.lamps .red{fill:#e5342b}
.lamps .on{stroke:#fff;stroke-width:2.5}
.lamps path{fill:none;stroke:#fff;stroke-width:5;stroke-linecap:round;stroke-linejoin:round}
.lamps .yellow+path{stroke:#1b1f24}
.verdict{font-size:1.1rem;margin:0}
.verdict b{text-transform:uppercase;letter-spacing:.03em}
.verdict.green b{color:var(--green)}.verdict.yellow b{color:var(--yellow-ink)}.verdict.red b{color:var(--red)}
.todo{list-style:none;margin:0;padding:0;counter-reset:n}
.todo li{counter-increment:n;border:1px solid var(--line);border-left:8px solid var(--line);border-radius:6px;
padding:.55rem .9rem;margin:0 0 .6rem;background:var(--soft);break-inside:avoid}
.todo li.red{border-left-color:var(--red)}
.todo li.yellow{border-left-color:var(--yellow)}
.todo li.green{border-left-color:var(--green)}
.todo p{margin:.15rem 0}
.todo b::before{content:counter(n) ". "}
.tag{display:inline-block;font-size:.75rem;font-weight:600;border:1px solid currentColor;border-radius:1rem;
padding:0 .55rem;margin-left:.5rem;white-space:nowrap}
.red>p>.tag{color:var(--red)}.yellow>p>.tag{color:var(--yellow-ink)}.green>p>.tag{color:var(--green)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.6rem;margin:0}
.facts div{border:1px solid var(--line);border-radius:6px;padding:.45rem .75rem;break-inside:avoid}
.facts dt{color:var(--dim);font-size:.85rem}
.facts dd{margin:0;font-weight:600}
.facts small{display:block;font-weight:400;color:var(--dim)}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600}
thead th{overflow-wrap:normal}
thead th{border-bottom:2px solid var(--line);color:var(--dim);font-size:.85rem}
tr{break-inside:avoid}
.items .hash{font-size:.8em}
.items td:nth-child(2){width:27%}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.wide{width:45%}
.facts-table th{width:13rem;font-weight:400;color:var(--dim)}
.figure{break-inside:avoid}
.chart{display:grid;grid-template-columns:auto minmax(0,1fr);column-gap:.5rem;margin:.4rem 0}
.scale{display:flex;flex-direction:column;justify-content:space-between;text-align:right;font-size:11px;line-height:16px;color:var(--dim);white-space:nowrap}
svg{display:block}
.chart svg{width:100%}
.chart text{font-size:11px;fill:var(--dim)}
.chart line{stroke:var(--line);stroke-width:1}
.chart rect,.stack rect,.bar rect,.swatch rect{stroke:var(--ink);stroke-width:.6}
.stack{width:100%;height:34px;margin:.5rem 0 .8rem}
.bar{width:100%;height:15px;margin-top:.25rem}
.swatch{width:22px;height:15px;display:inline-block;vertical-align:-2px;margin-right:.45rem}
.granted{fill:var(--granted)}.changed{fill:url(#p-changed)}.partly{fill:url(#p-partly)}
.waiting{fill:url(#p-waiting)}.refused{fill:url(#p-refused)}.held{fill:url(#p-held)}
.plain{fill:var(--partly)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.85rem;margin:.2rem 0 .6rem}
.patterns{position:absolute;width:0;height:0}
.lines{display:none}
@media (max-width:40rem){
body{padding:.8rem .9rem 2rem}
h1{font-size:1.2rem}
.first{gap:.8rem}
.lamps{width:40px;height:103px}
.verdict{font-size:1rem}
.facts{grid-template-columns:repeat(auto-fit,minmax(9rem,1fr))}
.cards thead{display:none}
.cards td:nth-child(n){width:auto}
.cards tr{display:block;border:1px solid var(--line);border-radius:6px;padding:.3rem .7rem;margin-bottom:.6rem}
.cards td{display:grid;grid-template-columns:6.5rem minmax(0,1fr);gap:.6rem;border:0;padding:.1rem 0;text-align:left;white-space:normal}
.cards td::before{content:attr(data-label);color:var(--dim);font-size:.85rem}
.cards td:empty{display:none}
.facts-table th,.facts-table td{display:block;width:auto;border:0;padding:0}
.facts-table td{border-bottom:1px solid var(--line);padding-bottom:.3rem;margin-bottom:.3rem}
.wide{width:28%}
}
@media print{
@page{margin:14mm 13mm}
html{color-scheme:light;-webkit-print-color-adjust:exact;print-color-adjust:exact}
body{max-width:none;padding:0;font-size:10.5pt;line-height:1.4}
h1{font-size:15pt}h2{font-size:12.5pt;margin-top:1.4rem}
h2,h3{break-after:avoid}
.auditor{break-before:page}
table{font-size:9pt}
th,td{padding-top:.6mm;padding-bottom:.6mm}
.facts-table{font-size:8pt;line-height:1.25}
.facts-table th{width:42mm}
.auditor h3{margin:.7rem 0 .2rem}
.auditor p,.auditor pre{font-size:8.5pt;margin:.2rem 0}
.items{font-size:8pt;line-height:1.3}
thead{display:table-header-group}
.lines{display:grid;grid-template-columns:1fr 1fr;gap:14mm 10mm;margin-top:13mm;break-inside:avoid}
.lines div{border-top:1px solid #000;padding-top:1mm;font-size:9pt}
}
)css";
}

std::string_view page_patterns() {
  return R"svg(<svg class="patterns" aria-hidden="true"><defs>
<pattern id="p-changed" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" style="fill:var(--changed);stroke:none"/><path d="M-2 2l4-4M0 8l8-8M6 10l4-4" style="stroke:#1b1f24;stroke-width:1"/></pattern>
<pattern id="p-partly" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" style="fill:var(--partly);stroke:none"/><circle cx="3" cy="3" r="1.2" style="fill:#1b1f24"/></pattern>
<pattern id="p-waiting" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" style="fill:var(--waiting);stroke:none"/><path d="M0 3h6" style="stroke:#1b1f24;stroke-width:1"/></pattern>
<pattern id="p-refused" width="7" height="7" patternUnits="userSpaceOnUse"><rect width="7" height="7" style="fill:var(--refused);stroke:none"/><path d="M0 0l7 7M7 0l-7 7" style="stroke:#fff;stroke-width:1.1"/></pattern>
<pattern id="p-held" width="5" height="5" patternUnits="userSpaceOnUse"><rect width="5" height="5" style="fill:var(--held);stroke:none"/><path d="M2.5 0v5" style="stroke:#fff;stroke-width:1.2"/></pattern>
</defs></svg>
)svg";
}

}  // namespace cmpost
