import { mount } from 'svelte';
import { config } from 'zod';
import App from './routes/App.svelte';
import { startSession } from './state/session.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/feedback.css';
import './styles/shell.css';
import './styles/panel.css';
import './styles/conversation.css';
import './styles/markdown.css';
import './styles/composer.css';
import './styles/pages.css';

// The content security policy forbids code made from strings, which zod would otherwise try.
config({ jitless: true });
startSession();

const target = document.getElementById('app');
if (target) mount(App, { target });
