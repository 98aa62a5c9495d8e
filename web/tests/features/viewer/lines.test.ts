import { describe, expect, it } from 'vitest';
import { linesOf } from '@/features/viewer/text/lines';

const text = (lines: ReturnType<typeof linesOf>) =>
  lines.map((runs) => runs.map((run) => run.text).join('')).join('\n');

describe('source code', () => {
  it('is highlighted, and its lines are unchanged', () => {
    const source = '"""Two\nlines."""\nx = 1 < 2 and "&amp;"';
    const lines = linesOf(source, 'python');
    expect(text(lines)).toBe(source);
    expect(lines[1]?.[0]).toMatchObject({ text: 'lines."""', kind: 'hljs-string' });
  });

  it('stays text, whatever it contains', () => {
    const source = '<script>alert("</pre><img src=x onerror=alert(1)>")</script>';
    expect(text(linesOf(source, 'javascript'))).toBe(source);
    expect(text(linesOf(source, null))).toBe(source);
  });

  it('is not highlighted in an unknown language', () => {
    expect(linesOf('a\r\nb\n', 'klingon')).toEqual([
      [{ text: 'a', kind: '', at: 0 }],
      [{ text: 'b', kind: '', at: 2 }],
    ]);
  });

  it('keeps a leading line break', () => {
    expect(text(linesOf('\n\nx = 1', 'python'))).toBe('\n\nx = 1');
  });
});
