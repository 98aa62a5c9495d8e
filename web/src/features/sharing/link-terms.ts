/** The terms of a link, between the form and the API. */
import type { NewShareLink, ShareLink } from '@/api/types';
import { type Expiry, expiresAt, localMoment, momentFault } from './expiry';

/** What the form holds. */
export interface LinkTerms {
  permission: 'VIEW' | 'DOWNLOAD';
  expiry: Expiry;
  /** A local date and time, for the expiry `chosen`. */
  moment: string;
  /** Empty for no limit. */
  max: number | string;
  password: string;
  passwordOff: boolean;
  label: string;
}

/** Returns the terms of a link, or those that a new one starts with. */
export function termsOf(link?: ShareLink): LinkTerms {
  return {
    permission: link?.permission ?? 'VIEW',
    expiry: link?.expiresAt ? 'chosen' : 'never',
    moment: link?.expiresAt ? localMoment(link.expiresAt) : '',
    max: link?.maxAccessCount ?? '',
    password: '',
    passwordOff: false,
    label: link?.label ?? '',
  };
}

/** Returns the keys of texts that say what is wrong with the terms. */
export function faultsOf(terms: LinkTerms): { moment?: 'noMoment' | 'past'; max?: 'noCount' } {
  const moment = terms.expiry === 'chosen' ? momentFault(terms.moment) : null;
  const count = terms.max === '' || (Number.isInteger(Number(terms.max)) && Number(terms.max) >= 1);
  return { ...(moment ? { moment } : {}), ...(count ? {} : { max: 'noCount' }) };
}

/** Returns the terms for the API: all of them for a new link, only those that were changed for an existing one. */
export function valuesOf(terms: LinkTerms, link?: ShareLink): Omit<NewShareLink, 'resourceId'> {
  const values = {
    permission: terms.permission,
    expiresAt: expiresAt(terms.expiry, terms.moment),
    maxAccessCount: terms.max === '' ? null : Number(terms.max),
    label: terms.label.trim() || null,
  };
  const before = link && termsOf(link);
  const password = terms.password
    ? { password: terms.password }
    : terms.passwordOff
      ? { password: null }
      : {};
  if (!link || !before) return { ...values, ...password };
  const sameExpiry = before.expiry === terms.expiry && before.moment === terms.moment;
  return {
    // The contract of a change has every field optional; an absent one stays as it is.
    ...(values.permission === link.permission ? {} : { permission: values.permission }),
    ...(sameExpiry ? {} : { expiresAt: values.expiresAt }),
    ...(values.maxAccessCount === link.maxAccessCount ? {} : { maxAccessCount: values.maxAccessCount }),
    ...(values.label === link.label ? {} : { label: values.label }),
    ...password,
  } as Omit<NewShareLink, 'resourceId'>;
}
