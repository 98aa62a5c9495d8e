import { renderHook } from '@testing-library/react';
import { beforeAll, describe, expect, it } from 'vitest';
import { useReasonText } from '@/components/reason-text';
import { chooseLanguage } from '@/i18n';

describe('the reason of a failure', () => {
  beforeAll(() => chooseLanguage('vi'));

  it('is shown in the user’s language, by its code', () => {
    const { result } = renderHook(() => useReasonText());
    expect(result.current('document-locked')).toBe('Tài liệu được khóa bằng mật khẩu.');
  });

  it.each([null, undefined, 'unknown-code'])('is a general text for %s', (code) => {
    const { result } = renderHook(() => useReasonText());
    expect(result.current(code)).toBe('Không xử lý được tệp.');
  });
});
