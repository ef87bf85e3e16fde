// SPDX-License-Identifier: Apache-2.0
// colour.ts: what colour a frame has: warm for Python, cool for C, grey for what is neither; the hue within
// that by the module, so that it is the same in every report. Lightness is even to the eye (OKLCH), so
// that text on every one of them has the contrast that WCAG AA asks for.

export type Rgb = readonly [number, number, number];

export const PYTHON = 0;
export const C = 1;

type Range = readonly [from: number, to: number]; // of hues, in degrees

const COOL: Range = [195, 285];

/** FNV-1a, of 32 bits. */
export function hash(text: string): number {
  let found = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    found ^= text.charCodeAt(at);
    found = Math.imul(found, 0x01000193) >>> 0;
  }
  found ^= found >>> 15;
  return Math.imul(found, 0x2c1b3c6d) >>> 0;
}

/** sRGB, 0 to 255 each, of a colour in OKLCH (Ottosson 2020); what sRGB lacks is clipped. */
export function oklch(lightness: number, chroma: number, hue: number): Rgb {
  const angle = (hue * Math.PI) / 180;
  const a = chroma * Math.cos(angle);
  const b = chroma * Math.sin(angle);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    channel(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    channel(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    channel(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

function channel(linear: number): number {
  const bent = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(Math.max(bent, 0), 1));
}

export function css([red, green, blue]: Rgb): string {
  return `rgb(${red},${green},${blue})`;
}

/** Of WCAG 2: 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((each) => {
    const part = each / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

export interface Palette {
  text: Rgb;
  frame(kind: number, module: string): Rgb;
  /** Of the kind, whatever the module. */
  typical(kind: number): Rgb;
  /** change: -1 (all that was) to 1 (as much again or more). */
  difference(change: number): Rgb;
}

function palette(text: Rgb, lightness: number, chroma: number, warm: Range, isDark: boolean): Palette {
  return {
    text,
    frame(kind, module) {
      if (kind !== PYTHON && kind !== C) return oklch(lightness, 0.008, 80);
      const [from, to] = kind === PYTHON ? warm : COOL;
      const mixed = hash(module);
      const hue = from + ((mixed & 0xffff) / 0xffff) * (to - from);
      const shade = (((mixed >>> 16) & 0xff) / 0xff - 0.5) * 0.05;
      return oklch(lightness + shade, chroma * (kind === PYTHON ? 1 : 0.75), hue);
    },
    typical(kind) {
      if (kind !== PYTHON && kind !== C) return oklch(lightness, 0.008, 80);
      const [from, to] = kind === PYTHON ? warm : COOL;
      return oklch(lightness, chroma * (kind === PYTHON ? 1 : 0.75), (from + to) / 2);
    },
    difference(change) {
      const strength = Math.sqrt(Math.min(Math.abs(change), 1));
      if (strength === 0) return oklch(lightness + (isDark ? -0.04 : 0.06), 0.006, 80);
      const neutral = isDark ? lightness - 0.04 : lightness + 0.06;
      const full = isDark ? lightness + 0.04 : lightness - 0.07;
      return oklch(neutral + (full - neutral) * strength, 0.015 + 0.1 * strength, change > 0 ? 25 : 250);
    },
  };
}

export const LIGHT: Palette = palette([31, 27, 22], 0.85, 0.095, [28, 92], false);
export const DARK: Palette = palette([248, 244, 237], 0.46, 0.095, [25, 78], true);
