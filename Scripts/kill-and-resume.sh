#!/usr/bin/env bash
# Proves that a training that is killed at random instants ends in the same bytes as one that is not.
#
#     Scripts/kill-and-resume.sh [N]        N killed trainings, 50 if absent
#
# Trains a small model on generated text without interruption; then, N times, starts the same
# training, kills it (SIGKILL) at a random instant, resumes it, perhaps killed again, until it is
# done, and compares the SHA-256 of the best and of the last model. Exits with 1 unless all agree.
# UNFOLD names another executable than the one in the build folder; SEED fixes the instants.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-50}
RANDOM=${SEED:-$$}
unfold=${UNFOLD:-.build/release/unfold}
if [ -z "${UNFOLD:-}" ]; then swift build -c release --product unfold >/dev/null; fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Words of pseudo-random order: a linear congruential generator, so that every machine has the same.
words=(the hunter fox sees shot runs naïve über and "." a who)
state=1
for ((line = 0; line < 400; line++)); do
  text=""
  for ((word = 0; word < 8; word++)); do
    state=$(((state * 1103515245 + 12345) % 2147483648))
    text+="${words[state / 65536 % ${#words[@]}]} "
  done
  echo "$text"
done >"$folder/text"

# Every optimiser in turn.
optimisers=(sgd momentum adam adamw rmsprop adagrad)
settings=(--cell lstm --layers 2 --hidden 16 --dropout 0.2 --batch 8 --window 16 --stride 8
  --learning-rate 0.03 --schedule plateau:patience=1,factor=0.7 --epochs 12 --evaluations 4 --patience 14)

# Starts the training, or goes on with it. Killed before its settings were saved, it begins anew.
train() {
  if [ -e "$1/configuration.json" ]; then
    exec "$unfold" train --resume "$1" --checkpoint-seconds 0.01
  else
    exec "$unfold" train "$folder/text" --out "$1" "${settings[@]}" --optimiser "$2" \
      --checkpoint-seconds 0.01
  fi
}

hashes() { (cd "$1" && sha256sum best/model.safetensors last/model.safetensors); }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

begin=$(milliseconds)
for optimiser in "${optimisers[@]}"; do
  (train "$folder/whole-$optimiser" "$optimiser") >/dev/null 2>&1
  echo "$optimiser, uninterrupted:"
  hashes "$folder/whole-$optimiser"
done
length=$((($(milliseconds) - begin) / ${#optimisers[@]}))
echo "$length ms each"

equal=0
kills=0
most=0
for ((round = 1; round <= rounds; round++)); do
  run="$folder/run-$round"
  optimiser=${optimisers[round % ${#optimisers[@]}]}
  expected=$(hashes "$folder/whole-$optimiser")
  killed=0
  while :; do
    (train "$run" "$optimiser") >"$folder/log" 2>&1 &
    process=$!
    # After six kills it may run to its end.
    if ((killed < 6)); then
      delay=$((RANDOM * 32768 + RANDOM))
      delay=$((delay % (length * 3 / 4)))
      sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
      kill -9 "$process" 2>/dev/null || true
    fi
    status=0
    wait "$process" 2>/dev/null || status=$?
    if ((status == 137)); then
      killed=$((killed + 1))
    elif ((status == 0)); then
      break
    else
      echo "round $round: the training ended with $status after $killed kills:"
      cat "$folder/log"
      break
    fi
  done
  kills=$((kills + killed))
  if ((killed > most)); then most=$killed; fi
  if [ "$(hashes "$run" 2>&1)" = "$expected" ]; then
    equal=$((equal + 1))
  else
    echo "round $round, $optimiser: the models differ after $killed kills"
  fi
  rm -rf "$run"
done

echo "$equal of $rounds trainings ended in the same bytes; $kills kills, at most $most in one"
((equal == rounds))
