import { IconLinkOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { ApiProblem } from '@/api/problem';
import { NoticeState } from '@/components/notice-state';

const CODES = ['link-expired', 'link-revoked', 'link-used-up'] as const;

/** Says why a link opens nothing, and whom to ask for another. */
export function LinkOver({ problem, ownerName }: { problem: unknown; ownerName: string | null }) {
  const { t } = useTranslation();
  const code = problem instanceof ApiProblem ? CODES.find((one) => one === problem.code) : undefined;
  const ask = ownerName ? t('shared.over.askOwner', { name: ownerName }) : t('shared.over.ask');
  return (
    <div role="alert" data-testid="shared-over" data-code={code}>
      <NoticeState
        icon={<IconLinkOff size={34} />}
        title={t(`shared.over.${code ?? 'unknown'}`)}
        text={code ? ask : t('shared.over.unknownText')}
      />
    </div>
  );
}
