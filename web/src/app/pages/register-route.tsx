import { useNavigate } from '@tanstack/react-router';
import { LanguageChoice } from '@/features/account';
import { RegisterPage } from '@/features/auth';

/** `/register` */
export function RegisterRoute() {
  const navigate = useNavigate();
  const goOn = () => void navigate({ to: '/drive', replace: true });
  return <RegisterPage corner={<LanguageChoice size="xs" />} onRegistered={goOn} />;
}
