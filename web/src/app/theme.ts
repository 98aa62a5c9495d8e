/** Colours and type: pine green on grey, amber for warnings, system fonts. */
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

const pine: MantineColorsTuple = [
  '#ebf5f2',
  '#d6e9e3',
  '#aed4c9',
  '#82bdad',
  '#5fa898',
  '#3f8f80',
  '#2a7a6c',
  '#1b665a',
  '#14574f',
  '#0d4741',
];
const brick: MantineColorsTuple = [
  '#fdf0ee',
  '#f9dcd8',
  '#f2b6af',
  '#ea8f86',
  '#e27065',
  '#d4544a',
  '#c23c33',
  '#b3261e',
  '#931d17',
  '#741511',
];
const mist: MantineColorsTuple = [
  '#f8faf9',
  '#f1f4f3',
  '#e5eae8',
  '#d5dcd9',
  '#bcc6c2',
  '#8b9893',
  '#5d6a65',
  '#475450',
  '#333d39',
  '#1e2523',
];
const night: MantineColorsTuple = [
  '#dfe6e3',
  '#bcc6c2',
  '#98a49f',
  '#6f7b76',
  '#3f4a46',
  '#323b38',
  '#232b29',
  '#181e1d',
  '#111615',
  '#0b0f0e',
];

/** The Mantine theme. */
export const theme = createTheme({
  primaryColor: 'pine',
  primaryShade: { light: 7, dark: 6 },
  colors: { pine, red: brick, gray: mist, dark: night },
  black: '#1a2220',
  white: '#ffffff',
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily:
    'system-ui, -apple-system, "Segoe UI Variable Text", "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", monospace',
  headings: { fontWeight: '660' },
  radius: { xs: '4px', sm: '6px', md: '10px', lg: '14px', xl: '20px' },
  components: {
    Modal: { defaultProps: { centered: true, radius: 'lg', overlayProps: { backgroundOpacity: 0.45 } } },
    // Without the placeholder, a menu has nothing but items in it, and opens with the first one in focus.
    Menu: { defaultProps: { radius: 'md', shadow: 'md', withInitialFocusPlaceholder: false } },
    Tooltip: { defaultProps: { openDelay: 400, radius: 'sm', withArrow: false } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
  },
});

/** CSS variables in addition to Mantine's. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: { '--ms-brand': '#14574f', '--ms-amber': '#e9b44c' },
  light: {
    '--ms-canvas': '#eef2f0',
    '--ms-sheet': '#ffffff',
    '--ms-line': '#dfe5e2',
    '--ms-hover': '#f1f5f3',
    '--ms-chosen': '#dcede7',
    '--ms-warn': '#8a5a00',
    '--ms-warn-ground': '#fdf3dc',
    '--ms-bad': '#b3261e',
    '--ms-accent': '#1b665a',
    '--ms-focus': '#14574f',
    '--mantine-color-body': '#ffffff',
    '--mantine-color-error': '#b3261e',
  },
  dark: {
    '--ms-canvas': '#0e1312',
    '--ms-sheet': '#181e1d',
    '--ms-line': '#2b3431',
    '--ms-hover': '#1f2725',
    '--ms-chosen': '#1c3c36',
    '--ms-warn': '#efc26a',
    '--ms-warn-ground': '#352a12',
    '--ms-bad': '#ff9d94',
    '--ms-accent': '#82bdad',
    '--ms-focus': '#82bdad',
    '--mantine-color-error': '#ff9d94',
  },
});
