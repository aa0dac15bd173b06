// Starts the app. Nothing here waits for the network, so that something is on the screen at once.
import { createRoot } from 'react-dom/client';
import './ui/base.css';
import { App } from './app.tsx';
import { chooseLang, currentLang } from './words/index.ts';

document.documentElement.lang = currentLang();
const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);
// A language that was only guessed is kept too: the house's sentences must match the page's.
chooseLang(currentLang());
