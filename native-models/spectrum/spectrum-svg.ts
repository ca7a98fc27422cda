import { cumulativeEnergy, type MatrixSpectrum, type Spectrum } from './spectrum.ts';

const panel = { width: 720, height: 300, left: 78, right: 66, top: 44, bottom: 48 };
const plotWidth = panel.width - panel.left - panel.right;
const plotHeight = panel.height - panel.top - panel.bottom;
/** Values further below the largest are rounding, and not drawn. */
const mostDecades = 8;
/** A line of more points looks no different. */
const mostPoints = 600;

/** Reads on white and on black: the greys stand half-way, the two colours differ in lightness as well as in hue. */
const style = `
  text { font: 12px system-ui, sans-serif; fill: #808080; }
  .title { font-size: 14px; font-weight: 600; }
  .axis { stroke: #808080; fill: none; }
  .grid { stroke: #808080; stroke-opacity: 0.25; }
  .values { stroke: #1e88e5; stroke-width: 2; fill: none; }
  .energy { stroke: #d97706; stroke-width: 2; stroke-dasharray: 6 4; fill: none; }
  .values-text { fill: #1e88e5; }
  .energy-text { fill: #d97706; }`;

/**
 * The spectrum as a picture: for each matrix the singular values on a logarithmic axis, and the share of the energy that the top k
 * hold. A document of its own, without scripts, fonts or links.
 */
export function spectrumSvg({ matrices, features }: Spectrum): string {
  const shown = features === undefined ? matrices : [...matrices, features];
  const height = shown.length * panel.height;
  const described = shown.map(sentence).join(' ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${panel.width} ${height}" role="img" aria-labelledby="title description">`,
    '<title id="title">Singular values of the alignment</title>',
    `<desc id="description">${escaped(described)}</desc>`,
    `<style>${style}\n</style>`,
    ...shown.map((matrix, i) => `<g transform="translate(0 ${i * panel.height})">\n${plot(matrix)}\n</g>`),
    '</svg>\n',
  ].join('\n');
}

/** The figure for those who cannot see it. */
function sentence({ name, shape, vectorsForEnergy, effectiveRank }: MatrixSpectrum): string {
  const needed = vectorsForEnergy.map(({ energy, k }) => `${k} for ${percent(energy)}`).join(', ');
  return `${name}, ${shape.join(' by ')}: singular vectors needed of the energy: ${needed}; effective rank ${effectiveRank.toFixed(1)}.`;
}

function plot(matrix: MatrixSpectrum): string {
  const values = matrix.singularValues;
  const largest = values[0] ?? 0;
  const top = Math.ceil(Math.log10(largest > 0 ? largest : 1));
  const smallest = values.findLast((value) => value > largest * 10 ** -mostDecades) ?? 1;
  const bottom = Math.min(top - 1, Math.floor(Math.log10(smallest)));
  const x = (k: number) => panel.left + ((k - 1) / Math.max(1, values.length - 1)) * plotWidth;
  const decades = (value: number) => (top - Math.log10(value)) / (top - bottom);
  const drawn = values.flatMap((value, i): [number, number][] =>
    value >= 10 ** bottom ? [[x(i + 1), panel.top + decades(value) * plotHeight]] : [],
  );
  const energy = cumulativeEnergy(values).map((share, i): [number, number] => [x(i + 1), energyY(share)]);
  const right = panel.width - panel.right;
  const foot = panel.height - panel.bottom;
  return [
    `<text class="title" x="${panel.left}" y="22">${escaped(matrix.name)} (${matrix.shape.join(' × ')})</text>`,
    ...decadeTicks(top, bottom),
    ...energyTicks(),
    ...countTicks(values.length, x),
    `<path class="axis" d="M${panel.left} ${panel.top}V${foot}H${right}V${panel.top}"/>`,
    line('values', drawn),
    line('energy', energy),
    `<text class="values-text" x="${panel.left}" y="38">singular value σ</text>`,
    `<text class="energy-text" x="${right}" y="38" text-anchor="end">energy of the top k</text>`,
    `<text x="${panel.left + plotWidth / 2}" y="${panel.height - 8}" text-anchor="middle">k</text>`,
  ].join('\n');
}

function energyY(share: number): number {
  return panel.top + (1 - share) * plotHeight;
}

function decadeTicks(top: number, bottom: number): string[] {
  const every = Math.max(1, Math.ceil((top - bottom) / 6));
  const ticks: string[] = [];
  for (let decade = top; decade >= bottom; decade -= every) {
    const y = panel.top + ((top - decade) / (top - bottom)) * plotHeight;
    ticks.push(
      `<path class="grid" d="M${panel.left} ${rounded(y)}h${plotWidth}"/>`,
      `<text x="${panel.left - 8}" y="${rounded(y + 4)}" text-anchor="end">10<tspan dy="-5" font-size="9">${decade}</tspan></text>`,
    );
  }
  return ticks;
}

function energyTicks(): string[] {
  return [0, 0.5, 0.9, 1].map(
    (share) =>
      `<text class="energy-text" x="${panel.width - panel.right + 8}" y="${rounded(energyY(share) + 4)}">${percent(share)}</text>`,
  );
}

function countTicks(count: number, x: (k: number) => number): string[] {
  const ticks = [...new Set([0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(1 + part * (count - 1))))];
  return ticks.map(
    (k) =>
      `<text x="${rounded(x(k))}" y="${panel.height - panel.bottom + 18}" text-anchor="middle">${k}</text>`,
  );
}

function line(name: string, points: readonly (readonly [number, number])[]): string {
  const every = Math.max(1, Math.ceil(points.length / mostPoints));
  const shown = points.filter((_, i) => i % every === 0 || i === points.length - 1);
  return `<polyline class="${name}" points="${shown.map(([x, y]) => `${rounded(x)},${rounded(y)}`).join(' ')}"/>`;
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function escaped(text: string): string {
  return (
    text
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      // Control characters have no place in XML, and names come out of files.
      .replace(/\p{Cc}/gu, ' ')
  );
}
