import { describe, expect, it } from 'vitest';
import { formatAgo, formatBytes, formatDuration, formatPercent, formatSpeed } from '@/lib/format';

describe('sizes', () => {
  it('are shown in the largest unit that keeps them at one or more', () => {
    expect(formatBytes(0, 'en')).toBe('0 bytes');
    expect(formatBytes(1, 'en')).toBe('1 byte');
    expect(formatBytes(1536, 'en')).toBe('1.5 kB');
    expect(formatBytes(100 * 1024 ** 2, 'en')).toBe('100 MB');
    expect(formatBytes(15 * 1024 ** 3, 'en')).toBe('15 GB');
  });

  it('are never 1,024 of a unit', () => {
    expect(formatBytes(1024 ** 2 - 1, 'en')).toBe('1 MB');
  });

  it('follow the language', () => {
    expect(formatBytes(1536 * 1024, 'vi')).toBe('1,5 MB');
  });

  it('are never negative', () => {
    expect(formatBytes(-5, 'en')).toBe('0 bytes');
  });
});

describe('speeds', () => {
  it('are sizes per second', () => {
    expect(formatSpeed(2 * 1024 ** 2, 'en')).toBe('2 MB/s');
  });
});

describe('durations', () => {
  it('show at most two units', () => {
    expect(formatDuration(8, 'en')).toBe('8 sec');
    expect(formatDuration(125, 'en')).toBe('2 min 5 sec');
    expect(formatDuration(3600 * 5 + 61, 'en')).toBe('5 hr 1 min');
  });

  it('leave out a second unit of zero', () => {
    expect(formatDuration(120, 'en')).toBe('2 min');
  });

  it('are at least a second', () => {
    expect(formatDuration(0.2, 'en')).toBe('1 sec');
  });
});

describe('percent', () => {
  it('is 100 only when complete', () => {
    expect(formatPercent(0.9999, 'en')).toBe('99%');
    expect(formatPercent(1, 'en')).toBe('100%');
  });
});

describe('a relative time', () => {
  const now = Date.parse('2026-01-10T12:00:00Z');

  it('is relative within the last week', () => {
    expect(formatAgo('2026-01-10T11:59:58Z', 'en', now)).toBe('now');
    expect(formatAgo('2026-01-10T11:55:00Z', 'en', now)).toBe('5 minutes ago');
    expect(formatAgo('2026-01-09T11:00:00Z', 'en', now)).toBe('yesterday');
    expect(formatAgo('2026-01-10T11:55:00Z', 'vi', now)).toBe('5 phút trước');
  });

  it('is a date before that', () => {
    expect(formatAgo('2025-12-24T11:00:00Z', 'en', now)).toContain('2025');
  });
});
