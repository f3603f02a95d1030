/// The rules of pages: one column of text, light or dark as the reader's screen, light in print.
enum PageStyle {
  static let rules =
    """
    :root{color-scheme:light dark;--paper:#fff;--ink:#1c1e21;--muted:#5f656e;--hairline:#d9dce1;\
    --wash:#f5f6f8;--accent:#0067a3;--warning:#b34700}
    @media screen and (prefers-color-scheme:dark){:root{--paper:#15171b;--ink:#e6e8eb;\
    --muted:#a0a7b1;\
    --hairline:#343941;--wash:#1d2025;--accent:#6bb8ec;--warning:#f0a05a}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--paper);color:var(--ink);\
    font:16px/1.55 system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,sans-serif}
    main{max-width:56rem;margin:0 auto;padding:2.5rem 1.5rem 5rem}
    h1{font-size:1.9rem;line-height:1.2;margin:0 0 .3rem;letter-spacing:-.012em}
    h2{font-size:1.25rem;margin:3rem 0 .8rem;padding-top:.9rem;border-top:1px solid var(--hairline)}
    h3{font-size:1rem;margin:2rem 0 .5rem}
    p,figcaption,li{max-width:44rem}
    .subtitle{margin:0;color:var(--muted)}
    nav{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin-top:1.4rem;font-size:.92rem}
    a{color:var(--accent);text-decoration-thickness:1px;text-underline-offset:2px}
    a:focus-visible,button:focus-visible,select:focus-visible,[tabindex]:focus-visible{\
    outline:2px solid var(--accent);outline-offset:2px}
    figure{margin:1.2rem 0;break-inside:avoid}
    figure svg{display:block}
    figcaption{color:var(--muted);font-size:.9rem;margin:.3rem 0 0 .9rem}
    .figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));\
    gap:.4rem 1rem}
    .figures figure{margin:.4rem 0}
    .table{overflow-x:auto;margin:1rem 0}
    table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums lining-nums}
    caption{text-align:left;color:var(--muted);padding-bottom:.4rem}
    th{text-align:left;font-weight:600;border-bottom:1.5px solid var(--ink)}
    th,td{padding:.28rem 1.6rem .28rem 0;vertical-align:top}
    tbody tr+tr td{border-top:1px solid var(--hairline)}
    .number{text-align:right}
    pre{background:var(--wash);padding:.8rem 1rem;border-radius:.3rem;overflow-x:auto;\
    font:.82rem/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace;white-space:pre-wrap;\
    overflow-wrap:anywhere}
    code{font:.9em ui-monospace,"SF Mono",Menlo,Consolas,monospace}
    .notice{border-left:3px solid var(--warning);padding:.2rem 0 .2rem .9rem}
    @media print{
    @page{margin:16mm}
    body{font-size:10.5pt}
    main{max-width:none;padding:0}
    nav{display:none}
    h2,h3{break-after:avoid}
    tr,pre{break-inside:avoid}
    .figures{grid-template-columns:1fr 1fr}
    }

    """
}
