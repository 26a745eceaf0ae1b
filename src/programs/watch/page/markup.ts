/** The status page's document: landmarks, empty places and the templates that the script fills. */

/** A favicon of two arrows that meet, so that no request is made for one. */
const icon = "data:image/svg+xml," + encodeURIComponent(
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='8' fill='#4f46e5'/>" +
    "<path d='M8 12h13l-4-4M24 20H11l4 4' fill='none' stroke='#fff' stroke-width='3' stroke-linecap='round' " +
    "stroke-linejoin='round'/></svg>"
)

export const markup = (style: string, script: string): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Status</title>
<link rel="icon" href="${icon}">
<style>${style}</style>
</head>
<body>
<a class="skip" href="#entries">Skip to the entries</a>
<header>
  <div class="wide">
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="9"/><path d="M8 12h13l-4-4M24 20H11l4 4"/></svg>
    <h1 id="tool">Status</h1>
    <span id="version" class="muted"></span>
    <p id="link" class="pill" role="status">Connecting</p>
  </div>
</header>
<main class="wide" id="main" aria-busy="true">
  <p id="refused" class="notice" role="alert" hidden></p>
  <noscript><p class="notice">This page needs JavaScript. The same as data: <a href="api/v1/jobs">api/v1/jobs</a></p></noscript>
  <dl class="tiles" aria-label="Summary">
    <div><dt>Entries</dt><dd id="sum-jobs">–</dd><dd id="sum-ready" class="muted"></dd></div>
    <div><dt>At work</dt><dd id="sum-running">–</dd><dd id="sum-waiting" class="muted"></dd></div>
    <div id="tile-failing"><dt>Failing</dt><dd id="sum-failing">–</dd><dd id="sum-failures" class="muted"></dd></div>
    <div><dt>Next run</dt><dd id="sum-next">–</dd><dd id="sum-next-name" class="muted"></dd></div>
  </dl>
  <section aria-labelledby="copying-title">
    <h2 id="copying-title">Being copied</h2>
    <ul id="copying" class="card list"></ul>
    <p id="copying-none" class="empty">Nothing is being copied right now.</p>
  </section>
  <section id="limits-section" aria-labelledby="limits-title" hidden>
    <h2 id="limits-title">Pull limits</h2>
    <ul id="limits" class="card list"></ul>
  </section>
  <section aria-labelledby="entries" id="entries-section">
    <div class="line">
      <h2 id="entries" tabindex="-1">Entries</h2>
      <p id="found" class="muted" role="status"></p>
      <search id="searching" hidden>
        <label class="unseen" for="search">Search entries by name, image or state</label>
        <input id="search" type="search" placeholder="Name, image or state" autocomplete="off" spellcheck="false">
      </search>
    </div>
    <p class="legend muted" id="legend" hidden>Runs: <i class="good"></i><span id="legend-good"></span> <span id="legend-same"><i></i>nothing to do</span> <i class="bad"></i>failed</p>
    <ul id="jobs" class="card list"></ul>
    <p id="jobs-none" class="empty" hidden></p>
  </section>
  <section aria-labelledby="failures-title">
    <h2 id="failures-title">Recent failures</h2>
    <ul id="failures" class="card list"></ul>
    <button type="button" id="failures-more" aria-expanded="false" hidden></button>
    <p id="failures-none" class="empty">No failure so far.</p>
  </section>
</main>
<footer class="wide muted">
  <span id="began"></span>
  <nav aria-label="For programs"><a href="metrics">Metrics</a> <a href="api/v1/jobs">JSON</a></nav>
</footer>
<p id="toast" role="status"></p>
<dialog id="asking" aria-labelledby="asking-title">
  <form id="asking-form">
    <h2 id="asking-title">Start a run</h2>
    <p id="asking-what" class="muted"></p>
    <label for="token">Token</label>
    <input id="token" type="password" autocomplete="off" required aria-describedby="asking-help asking-wrong">
    <p id="asking-wrong" class="wrong" role="alert"></p>
    <p id="asking-help" class="muted">Kept by this page until it is closed, and nowhere else.</p>
    <div class="actions"><button type="button" id="asking-no">Cancel</button><button class="main" type="submit">Run now</button></div>
  </form>
</dialog>
<template id="job-template">
  <li class="job">
    <div class="what"><h3></h3><p class="route muted"><span class="from"></span><span aria-hidden="true"> → </span><span class="unseen"> to </span><span class="to"></span></p><p class="plan muted" hidden></p></div>
    <p class="pill state"></p>
    <button type="button" class="chart" aria-expanded="false" hidden><span class="bars"></span></button>
    <dl class="times"><div><dt class="last-label">Last run</dt><dd class="last"></dd></div><div><dt>Next run</dt><dd class="next"></dd></div></dl>
    <button type="button" class="run" hidden>Run now</button>
    <progress class="whole" hidden></progress>
    <div class="scroll" tabindex="0" role="region" hidden><table><thead><tr><th scope="col">Began</th><th scope="col">Took</th><th scope="col">Images</th><th scope="col">Copied</th><th scope="col">Failed</th><th scope="col">Sent</th></tr></thead><tbody></tbody></table></div>
  </li>
</template>
<template id="pair-template">
  <li class="pair">
    <p class="route"><span class="from"></span><span aria-hidden="true"> → </span><span class="unseen"> to </span><span class="to"></span></p>
    <progress></progress>
    <p class="numbers muted"></p>
  </li>
</template>
<template id="failure-template">
  <li class="failure">
    <p class="head"><span class="pill bad reason"></span><strong class="to"></strong><span class="when muted"></span></p>
    <p class="error"></p>
    <p class="muted entry"></p>
  </li>
</template>
<template id="limit-template">
  <li class="limit"><strong class="name"></strong><meter min="0"></meter><span class="muted left"></span></li>
</template>
<script>${script}</script>
</body>
</html>
`
