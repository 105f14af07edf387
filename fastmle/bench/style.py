"""How the page looks."""

STYLE = """
:root{color-scheme:light dark;--bg:#fbfbfa;--ink:#1d2330;--soft:#5d6678;--line:#d9dde4;--ours:#1668c7;--ours2:#7fb0e6;
--peer:#b9772c;--numpy:#7a7f8c;--limit:#c03a4b;--fourth:#7a4fb5;--fifth:#1f8a70}
@media(prefers-color-scheme:dark){:root{--bg:#14171d;--ink:#e8ebf1;--soft:#a2abbc;--line:#333a47;--ours:#5aa5f5;
--ours2:#3a73b0;--peer:#dba055;--numpy:#949bab;--limit:#f07484;--fourth:#b592ea;--fifth:#4cc3a5}}
*{box-sizing:border-box}body{margin:0 auto;max-width:75rem;padding:1.2rem;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}h1{font-size:1.7rem;line-height:1.25;margin:.2em 0}h2{margin:2em 0 .3em}
body>h3{margin:1.4em 0 .4em;font-size:1rem}p{max-width:46rem}nav{display:flex;flex-wrap:wrap;gap:.2rem 1rem}nav a{color:var(--ours)}

.goals td:nth-child(2),.goals th:nth-child(2){text-align:left;min-width:13rem}
.goals td:first-child{min-width:9rem}
.soft{color:var(--soft)}.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1rem}
.card{border:1px solid var(--line);border-radius:8px;padding:.8rem .9rem;min-width:0}.card h3{margin:0;font-size:1rem}
.card p{margin:.1rem 0 .5rem;font-size:.83rem}.row{display:grid;grid-template-columns:8.4rem 1fr 4.8rem;gap:.5rem;
align-items:center;font-size:.83rem;line-height:1.3;margin:.25rem 0}.row span:last-child{text-align:right;white-space:nowrap}
.bar{height:.8rem;border-radius:3px;min-width:2px}.limit{background:repeating-linear-gradient(45deg,var(--limit) 0 3px,
transparent 3px 6px);outline:1px solid var(--limit)}svg{max-width:100%;min-width:47rem;height:auto;display:block}
svg text{fill:var(--ink);font:13px system-ui,sans-serif;font-variant-numeric:tabular-nums}svg text.axis{fill:var(--soft)}
.ceiling{fill:none;stroke:var(--soft);stroke-width:1;stroke-dasharray:4 4}
.key span{white-space:nowrap;margin-right:1rem}
.key i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}td,th{padding:.25rem .7rem;
border-bottom:1px solid var(--line);text-align:right;vertical-align:top}td:first-child,th:first-child{text-align:left}
.scroll{overflow-x:auto}
.goals th:last-child,.missed td:last-child{text-align:left;min-width:22rem}
.missed td:nth-child(4){color:var(--limit);font-weight:600}
.card p:last-child{margin:.5rem 0 0}
"""
