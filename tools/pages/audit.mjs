// Examines pages with Lighthouse, axe and html-validate. Reads a list of pages as JSON from the
// file named first, writes what it found as JSON to the file named second.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer from 'puppeteer-core';
import lighthouse from 'lighthouse';
import { HtmlValidate, StaticConfigLoader } from 'html-validate';

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const [input, output] = process.argv.slice(2);
const task = JSON.parse(readFileSync(input, 'utf8'));
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const VIEWS = [
  { name: '1280 light', width: 1280, scheme: 'light' },
  { name: '390 dark', width: 390, scheme: 'dark' },
];
const html = new HtmlValidate(new StaticConfigLoader({
  extends: ['html-validate:standard', 'html-validate:document'],
  // Ours to choose, and no matter of validity: how long a title is, and that buttons of forms
  // may do without `type`.
  rules: { 'long-title': 'off', 'no-inline-style': 'error', 'require-sri': 'off' },
}));

function cookieHeader(page) {
  return Object.entries(page.cookies).map(([name, value]) => `${name}=${value}`).join('; ');
}

async function validate(page) {
  const answer = await fetch(page.url, { headers: { cookie: cookieHeader(page), accept: 'text/html' } });
  const report = await html.validateString(await answer.text());
  return report.results.flatMap((result) => result.messages)
    .filter((message) => message.severity === 2)
    .map((message) => `${message.ruleId} at ${message.line}:${message.column}: ${message.message}`);
}

// A page may go on by itself while it is examined, to what it waited for: then it is asked again.
const MOVED = /detached|disposed|destroyed|navigat/i;
async function insist(examine, tries = 3) {
  try {
    return await examine();
  } catch (problem) {
    if (tries === 1 || !MOVED.test(problem.message)) throw problem;
    return insist(examine, tries - 1);
  }
}

async function accessible(browser, page) {
  const found = [];
  for (const view of VIEWS) found.push(...await insist(() => examined(browser, page, view)));
  return found;
}

async function examined(browser, page, view) {
  const context = await browser.createBrowserContext();
  try {
    const tab = await context.newPage();
    await tab.setBypassCSP(true);
    await tab.setViewport({ width: view.width, height: 900 });
    await tab.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: view.scheme },
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
    await tab.setExtraHTTPHeaders({ cookie: cookieHeader(page) });
    await tab.goto(page.url, { waitUntil: 'load' });
    await tab.evaluate(axe);
    const report = await tab.evaluate(
      (tags) => globalThis.axe.run(document, { runOnly: { type: 'tag', values: tags } }), RULES);
    return report.violations.flatMap((violation) => violation.nodes.map((node) =>
      `${violation.id} (${view.name}): ${node.target.join(' ')}: ${node.failureSummary.split('\n').slice(1).join(' ').trim()}`));
  } finally {
    await context.close();
  }
}

// Lighthouse opens tabs of its own, which have the cookies of the whole browser and no others.
async function dress(browser, page) {
  await browser.deleteCookie(...await browser.cookies());
  if (!page.private) return;
  const { hostname: domain } = new URL(page.url);
  await browser.setCookie(...Object.entries(page.cookies).map(([name, value]) => ({ name, value, domain, path: '/' })));
}

async function lit(port, page, again = true) {
  const result = await lighthouse(page.url, {
    port,
    output: 'json',
    logLevel: 'error',
    onlyCategories: ['performance', 'accessibility', 'best-practices', 'seo'],
    // A page that is nobody else's business asks not to be found; that is no fault.
    skipAudits: page.private ? ['is-crawlable'] : null,
    disableStorageReset: false,
  });
  const { categories, audits, runtimeError, mainDocumentUrl } = result.lhr;
  // A busy machine may be too slow for one run; twice is a fault.
  if (runtimeError && again) return lit(port, page, false);
  if (runtimeError) throw new Error(`${page.url}: ${runtimeError.code} ${runtimeError.message}`);
  if (mainDocumentUrl !== page.url) throw new Error(`${page.url} led to ${mainDocumentUrl}`);
  const share = (name) => Math.round((categories[name]?.score ?? 0) * 100);
  const weight = audits['resource-summary']?.details?.items ?? [];
  const faults = Object.values(categories).flatMap((category) => category.auditRefs
    .filter((ref) => ref.weight > 0 && audits[ref.id].score !== null && audits[ref.id].score < 0.9)
    .map((ref) => `${ref.id}: ${audits[ref.id].displayValue ?? audits[ref.id].title}`));
  return {
    performance: share('performance'),
    accessibility: share('accessibility'),
    practices: share('best-practices'),
    seo: share('seo'),
    lcp: Math.round(audits['largest-contentful-paint'].numericValue ?? 0),
    cls: Number((audits['cumulative-layout-shift'].numericValue ?? 0).toFixed(3)),
    bytes: weight.filter((item) => ['document', 'stylesheet', 'script', 'font', 'other'].includes(item.resourceType))
      .reduce((sum, item) => sum + item.transferSize, 0),
    faults,
  };
}

const browser = await puppeteer.launch({ executablePath: task.chromium, headless: true, args: task.flags });
const port = Number(new URL(browser.wsEndpoint()).port);
const results = [];
for (const page of task.pages) {
  const result = { name: page.name, html: await validate(page), axe: await accessible(browser, page) };
  if (task.lighthouse) {
    await dress(browser, page);
    result.lighthouse = await insist(() => lit(port, page));
  }
  results.push(result);
  const scores = result.lighthouse;
  console.log(`${page.name}: HTML ${result.html.length}, axe ${result.axe.length}` + (scores
    ? `, Lighthouse ${scores.performance}/${scores.accessibility}/${scores.practices}/${scores.seo}, LCP ${scores.lcp} ms, CLS ${scores.cls}` : ''));
  writeFileSync(output, JSON.stringify(results));
}
await browser.close();
