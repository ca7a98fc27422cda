import createDOMPurify from 'dompurify';
import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import css from 'highlight.js/lib/languages/css';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import python from 'highlight.js/lib/languages/python';
import sql from 'highlight.js/lib/languages/sql';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import MarkdownIt from 'markdown-it';

for (const [name, language] of Object.entries({
  bash,
  css,
  javascript,
  json,
  python,
  sql,
  typescript,
  xml,
})) {
  hljs.registerLanguage(name, language);
}

const purify = createDOMPurify(window);
const parser = new MarkdownIt({ html: false, linkify: false, breaks: true, typographer: false });
const { escapeHtml } = parser.utils;

parser.renderer.rules.fence = (tokens, index) => {
  const token = tokens[index];
  const language = token?.info.trim().split(/\s+/)[0] ?? '';
  const code = token?.content.replace(/\n$/, '') ?? '';
  const highlighted = hljs.getLanguage(language)
    ? hljs.highlight(code, { language, ignoreIllegals: true }).value
    : escapeHtml(code);
  const name = escapeHtml(language || 'text');
  return (
    `<div class="code"><div class="code-head"><span>${name}</span>` +
    `<button type="button" class="button quiet small" data-copy>Copy</button></div>` +
    `<pre tabindex="0" aria-label="${name} code"><code>${highlighted}</code></pre></div>`
  );
};
parser.renderer.rules.code_block = parser.renderer.rules.fence;
// Nothing an answer says may reach the network: a link is its words and its address, an image its description.
parser.renderer.rules.link_open = () => '';
parser.renderer.rules.link_close = (tokens, index) => {
  for (let opening = index - 1; opening >= 0; opening -= 1) {
    const address = tokens[opening]?.type === 'link_open' ? tokens[opening]?.attrGet('href') : undefined;
    if (address) return ` <span class="address">(${escapeHtml(String(address))})</span>`;
  }
  return '';
};
parser.renderer.rules.image = (tokens, index) =>
  `<span class="address">[image: ${escapeHtml(tokens[index]?.content ?? '')}]</span>`;

/**
 * Turns an answer into sanitised HTML, one string for each top-level block, so that only the block being written
 * changes on screen while the text streams.
 */
export function markdownBlocks(text: string): string[] {
  const environment = {};
  const tokens = parser.parse(text, environment);
  const blocks: string[] = [];
  let start = 0;
  for (const [index, token] of tokens.entries()) {
    if (token.level !== 0 || token.nesting === 1) continue;
    const html = parser.renderer.render(tokens.slice(start, index + 1), parser.options, environment);
    blocks.push(
      purify.sanitize(html, { FORBID_ATTR: ['style'], FORBID_TAGS: ['a', 'img', 'style', 'form', 'input'] }),
    );
    start = index + 1;
  }
  return blocks;
}
