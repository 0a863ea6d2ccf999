(* Mulayoff, Michaeli and Soudry 2021, Theorem 2, eqs 24-25 (M9): strongly stable solutions whose units may toggle on
   data points. M8.a's argument in mulayoff2021/switching.v, along the mean gradient with all toggling units inactive:
   units with w1 = b1 = 0 are at rest along it. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums two_layer mulayoff2021.stability mulayoff2021.stability_switching_systems
  mulayoff2021.switching mulayoff2021.smooth.
Import ListNotations.
Open Scope R_scope.

Section Network.
  Variable net : network.
  Variable x : list R.
  Notation units := (seq 0 (width net)).

  Definition resting_mode (i : nat) (t : R) : bool := if Rlt_dec 0 (pre_activation (unit net i) t) then true else false.

  Lemma resting_is_mode : is_mode net x resting_mode.
  Proof.
    intros i t _ _. unfold resting_mode. destruct (Rlt_dec 0 (pre_activation (unit net i) t)); split; lra || easy.
  Qed.

  Lemma resting_gradient t p : mode_gradient net resting_mode t p = gradient net t p.
  Proof.
    destruct p as [i|i|i|]; simpl; unfold resting_mode, active;
      try (destruct (Rlt_dec 0 (pre_activation (unit net i) t)); ring); [|easy].
    destruct (Rlt_dec 0 (pre_activation (unit net i) t)); [now rewrite relu_pos by lra|now rewrite relu_neg by lra].
  Qed.

  (* C = max{1, rho (1 + M)} bounds all gradients if rho bounds the units' weights and M the data. *)
  Lemma parameter_gradient_bound (rho M : R) :
    0 <= rho -> 0 <= M ->
    (forall u, In u (neurons net) -> Rabs (w1 u) <= rho /\ Rabs (b1 u) <= rho /\ Rabs (w2 u) <= rho) ->
    (forall t, In t x -> Rabs t <= M) ->
    gradients_within net x (Rmax 1 (rho * (1 + M))).
  Proof.
    intros rho_pos M_pos weights data m t p Hm Ht Hp. specialize (data t Ht).
    pose proof (Rmax_l 1 (rho * (1 + M))). pose proof (Rmax_r 1 (rho * (1 + M))).
    assert (forall i, In (W1 i) (parameters net) \/ In (B1 i) (parameters net) \/ In (W2 i) (parameters net) ->
      Rabs (w1 (unit net i)) <= rho /\ Rabs (b1 (unit net i)) <= rho /\ Rabs (w2 (unit net i)) <= rho) as unit_weights.
    { intros i Hi. apply weights, unit_in. unfold parameters in Hi.
      destruct Hi as [Hi|[Hi|Hi]]; apply in_app_or in Hi as [Hi|[Hi|[]]]; try easy;
        apply in_flat_map in Hi as [j [Hj [E|[E|[E|[]]]]]]; congruence. }
    assert (0 <= rho * M) by now apply Rmult_le_pos.
    destruct p as [i|i|i|]; simpl.
    - destruct (unit_weights i) as [a [b c]]; [auto|]. destruct (m i t); [|rewrite Rabs_R0; lra].
      rewrite Rabs_mult. assert (Rabs (w2 (unit net i)) * Rabs t <= rho * M); [|lra].
      apply Rmult_le_compat; easy || apply Rabs_pos.
    - destruct (unit_weights i) as [a [b c]]; [auto|]. destruct (m i t); [lra|rewrite Rabs_R0; lra].
    - destruct (unit_weights i) as [a [b c]]; [auto|]. destruct (m i t); [|rewrite Rabs_R0; lra].
      unfold pre_activation. eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_mult.
      assert (Rabs (w1 (unit net i)) * Rabs t <= rho * M); [|lra]. apply Rmult_le_compat; easy || apply Rabs_pos.
    - rewrite Rabs_R1. lra.
  Qed.

  Lemma count_filter {A : Type} (keep : A -> bool) (l : list A) :
    sum (fun a => if keep a then 1 else 0) l = INR (length (filter keep l)).
  Proof. rewrite <- sum_filter, sum_const. ring. Qed.

  (* "p_max <= 1 + k - L" (before eq 36): each of the other knots of f takes a unit of its own. *)
  Lemma spare_units (knots : list R) (t : R) :
    NoDup knots -> (forall c, In c knots -> jump net c <> 0) ->
    INR (length (filter (fun i => toggles net i t) units)) <= 1 + INR (width net) - INR (length knots).
  Proof.
    intros distinct kinks.
    set (others := filter (fun c => if Req_EM_T c t then false else true) knots).
    assert (NoDup (t :: others)) as apart.
    { constructor; [|now apply NoDup_filter]. intros H. apply filter_In in H as [_ H].
      destruct (Req_EM_T t t); easy. }
    assert (INR (length knots) <= INR (length others) + 1) as most.
    { clear apart kinks. unfold others. clear others. induction distinct as [|c knots fresh distinct IH]; [simpl; lra|].
      simpl filter. destruct (Req_EM_T c t) as [->|].
      - rewrite (proj2 (filter_ext_in_iff _ (fun _ => true) knots)).
        + replace (filter (fun _ => true) knots) with knots.
          * simpl length. rewrite S_INR. lra.
          * clear. induction knots as [|c knots IH]; simpl; [easy|]. now rewrite <- IH.
        + intros c Hc. destruct (Req_EM_T c t) as [->|]; easy.
      - simpl length. rewrite !S_INR. lra. }
    (* the units that toggle at t, and those with a knot at each other place *)
    set (counts := fun c i => if toggles net i c then if Req_EM_T (w1 (unit net i)) 0 then 0 else 1 else 0).
    assert (sum (fun i => if toggles net i t then 1 else 0) units + sum (fun c => sum (counts c) units) others
      <= INR (width net)) as total.
    { rewrite sum_swap, <- sum_plus. apply Rle_trans with (sum (fun _ => 1) units).
      - apply sum_le. intros i _. destruct (Req_dec (w1 (unit net i)) 0) as [flat|sloped].
        + rewrite (sum_zero (fun c => counts c i)).
          * destruct (toggles net i t); lra.
          * intros c _. unfold counts. destruct (toggles net i c), (Req_EM_T (w1 (unit net i)) 0); easy.
        + pose proof (toggles_once net i (t :: others) apart (or_introl sloped)) as once. simpl in once.
          rewrite (sum_eq (fun c => counts c i) (fun c => if toggles net i c then 1 else 0)); [easy|].
          intros c _. unfold counts. destruct (Req_EM_T (w1 (unit net i)) 0); easy.
      - rewrite sum_const, seq_length. lra. }
    rewrite count_filter in total.
    assert (sum (fun _ => 1) others <= sum (fun c => sum (counts c) units) others) as one_each.
    { apply sum_le. intros c Hc. apply filter_In in Hc as [Hc _]. specialize (kinks c Hc).
      destruct (Rle_dec 1 (sum (counts c) units)) as [|few]; [easy|exfalso].
      apply kinks. unfold jump. rewrite <- (sum_units (fun u => unit_jump u c)). apply sum_zero. intros i Hi.
      unfold unit_jump. destruct (Req_EM_T (pre_activation (unit net i) c) 0) as [zero|]; [|easy].
      destruct (Req_EM_T (w1 (unit net i)) 0) as [flat|sloped]; [rewrite flat, Rabs_R0; ring|exfalso].
      apply few. replace 1 with (counts c i).
      - apply sum_ge_term; [|easy]. intros j _. unfold counts.
        destruct (toggles net j c), (Req_EM_T (w1 (unit net j)) 0); lra.
      - unfold counts, toggles. destruct (Req_EM_T (pre_activation (unit net i) c) 0),
          (Req_EM_T (w1 (unit net i)) 0); easy. }
    rewrite sum_const in one_each. lra.
  Qed.

  (* The mean gradient, toggling units counted as inactive. *)
  Definition mean_gradient (p : parameter) : R := mean (fun t => gradient net t p) x.

  Lemma mean_gradient_square : dot (parameters net) mean_gradient mean_gradient = squared_mean_gradient net x.
  Proof. apply sum_eq. intros p _. unfold mean_gradient. ring. Qed.

  Lemma mean_gradient_at_rest : idle_at_rest net mean_gradient.
  Proof.
    intros i _. destruct (Req_dec (w1 (unit net i)) 0) as [flat|]; [|now left; left].
    destruct (Req_dec (b1 (unit net i)) 0) as [low|]; [|now left; right].
    right. assert (forall t, active (unit net i) t = 0) as never.
    { intros t. unfold active, pre_activation. rewrite flat, low. destruct (Rlt_dec 0 (0 * t + 0)); lra. }
    unfold mean_gradient, mean, Rdiv. simpl.
    split; (rewrite sum_zero; [ring|intros t _; rewrite never; ring]).
  Qed.

  (* Jensen: its length is at most the curvature along it. *)
  Lemma curvature_along_mean_gradient :
    x <> [] ->
    let v := mean_gradient in
    dot (parameters net) v v * dot (parameters net) v v <= quadratic (parameters net) (hessian_on net x resting_mode) v.
  Proof.
    intros nonempty v. rewrite switching.quadratic_hessian. set (a := along net resting_mode v).
    assert (dot (parameters net) v v = mean a x) as ->.
    { unfold a, along, dot. rewrite mean_sum_swap. apply sum_eq. intros p _.
      rewrite (mean_eq _ (fun t => v p * gradient net t p)) by (intros; rewrite resting_gradient; ring).
      rewrite mean_scal. reflexivity. }
    pose proof (sum_sq_le a x) as jensen. pose proof (length_pos x nonempty) as n. unfold mean.
    apply (Rmult_le_reg_l (INR (length x) * INR (length x))); [now apply Rmult_lt_0_compat|].
    replace (INR (length x) * INR (length x) * (sum a x / INR (length x) * (sum a x / INR (length x))))
      with (sum a x * sum a x) by (field; lra).
    eapply Rle_trans; [exact jensen|]. apply Req_le. field. lra.
  Qed.
End Network.

(* mulayoff2021, Theorem 2, sharpened (M9.a), with less asked of f: only a step along the mean gradient and one against it
   must not lengthen. f'' is point masses at the kinks of f, all of which may be among the L knots. *)
Theorem two_steps_curvature_bound (f : R -> R) (net : network) (x knots : list R) (jumps : R -> R)
    (rho M eta : R) :
  let n := INR (length x) in
  let C := Rmax 1 (rho * (1 + M)) in
  let P := 1 + INR (width net) - INR (length knots) in
  x <> [] -> NoDup x -> 0 <= rho -> 0 <= M ->
  (forall u, In u (neurons net) -> Rabs (w1 u) <= rho /\ Rabs (b1 u) <= rho /\ Rabs (w2 u) <= rho) ->
  (forall t, In t x -> Rabs t <= M) ->
  (forall t, output net t = f t) -> NoDup knots -> (forall c, In c knots -> kink f c (jumps c) /\ jumps c <> 0) ->
  0 < eta -> step_no_longer net x eta (mean_gradient net x) ->
  step_no_longer net x eta (fun r => - mean_gradient net x r) ->
  sum (fun c => Rabs (jumps c) * g x c) knots <= 1 / eta - 1 / 2 + C * sqrt (P / (n * eta)) + C ^ 2 * P / (4 * n).
Proof.
  intros n C P nonempty distinct rho_pos M_pos weights data implements apart kinks eta_pos ahead back.
  assert (forall c, In c knots -> jump net c <> 0) as places.
  { intros c Hc. destruct (kinks c Hc) as [is_kink nonzero].
    rewrite (kink_unique f c (jump net c) (jumps c)); [easy| |easy].
    apply (kink_ext (output net)); [easy|apply network_kink]. }
  set (most := fold_right Nat.max 0%nat (map (fun t => length (filter (fun i => toggles net i t) (seq 0 (width net))))
    x)).
  assert (toggling_at_most net x most) as few.
  { unfold most. clear. intros t. induction x as [|s y IH]; simpl; [easy|]. intros [->|Ht]; [lia|].
    specialize (IH Ht). lia. }
  assert (INR most <= P) as spare.
  { assert (forall t, INR (length (filter (fun i => toggles net i t) (seq 0 (width net)))) <= P) as each
      by (intros t; now apply spare_units).
    unfold most. clear - nonempty each. induction x as [|s y IH]; [easy|]. simpl.
    destruct (Nat.max_spec (length (filter (fun i => toggles net i s) (seq 0 (width net))))
      (fold_right Nat.max 0%nat (map (fun t => length (filter (fun i => toggles net i t) (seq 0 (width net)))) y)))
        as [[_ ->]|[_ ->]];
      [|apply each]. destruct y as [|r y]; [|now apply IH].
    simpl. pose proof (each s).
    pose proof (pos_INR (length (filter (fun i => toggles net i s) (seq 0 (width net))))). lra. }
  pose proof (length_pos x nonempty) as n_pos. fold n in n_pos.
  assert (1 <= C) as C_big by apply Rmax_l.
  pose proof (two_steps_along net x C eta most (resting_mode net) (mean_gradient net x) nonempty
    distinct (mean_gradient_at_rest net x) (parameter_gradient_bound net x rho M rho_pos M_pos weights data) few
    ltac:(lra) eta_pos ahead back (resting_is_mode net x)) as sharp. fold n in sharp.
  pose proof (curvature_along_mean_gradient net x nonempty) as jensen. cbv zeta in jensen.
  rewrite mean_gradient_square in sharp, jensen.
  pose proof (all_ones_lower_bound net x nonempty) as lower.
  pose proof (curvature_at_most_units net x knots apart) as merged.
  rewrite (sum_eq _ (fun c => Rabs (jumps c) * g x c)) in merged.
  2: { intros c Hc. rewrite (kink_unique f c (jumps c) (jump net c)); [easy|now apply kinks|].
       apply (kink_ext (output net)); [easy|apply network_kink]. }
  assert (0 <= sum (fun c => Rabs (jumps c) * g x c) knots) as curvature_pos.
  { apply sum_nonneg. intros c _. apply Rmult_le_pos; [apply Rabs_pos|apply g_nonneg]. }
  assert (1 + 2 * sum (fun c => Rabs (jumps c) * g x c) knots <= (sqrt (2 / eta) + C * sqrt (INR most / (2 * n))) ^ 2)
    as bound.
  { apply Rle_trans with (squared_mean_gradient net x); [lra|].
    apply (Rmult_le_reg_r (squared_mean_gradient net x)); lra. }
  clear lower sharp jensen. pose proof (pos_INR most). assert (0 < 2 / eta) by (apply Rdiv_lt_0_compat; lra).
  assert (sqrt (INR most / (2 * n)) <= sqrt (P / (2 * n))) as more.
  { apply sqrt_le_1_alt, Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat; lra|easy]. }
  assert ((sqrt (2 / eta) + C * sqrt (INR most / (2 * n))) ^ 2 <= (sqrt (2 / eta) + C * sqrt (P / (2 * n))) ^ 2) as up.
  { apply pow_incr. pose proof (sqrt_pos (2 / eta)). pose proof (sqrt_pos (INR most / (2 * n))). split; nra. }
  assert (0 <= P / (2 * n)) as r_pos by (apply Rmult_le_pos; [lra|apply Rlt_le, Rinv_0_lt_compat; lra]).
  assert ((sqrt (2 / eta) + C * sqrt (P / (2 * n))) ^ 2
    = 2 / eta + C ^ 2 * (P / (2 * n)) + 2 * (C * sqrt (P / (n * eta)))) as square.
  { replace (P / (n * eta)) with (2 / eta * (P / (2 * n))) by (field; lra). rewrite sqrt_mult_alt by lra.
    pose proof (sqrt_sqrt (2 / eta) ltac:(lra)) as a. pose proof (sqrt_sqrt _ r_pos) as b.
    replace ((sqrt (2 / eta) + C * sqrt (P / (2 * n))) ^ 2) with (sqrt (2 / eta) * sqrt (2 / eta)
      + C ^ 2 * (sqrt (P / (2 * n)) * sqrt (P / (2 * n))) + 2 * (C * (sqrt (2 / eta) * sqrt (P / (2 * n))))) by ring.
    now rewrite a, b. }
  rewrite square in up.
  replace (C ^ 2 * P / (4 * n)) with (C ^ 2 * (P / (2 * n)) / 2) by (field; lra).
  replace (1 / eta) with (2 / eta / 2) by (field; lra). lra.
Qed.

(* mulayoff2021, Theorem 2, sharpened (M9.a): "f strongly stable, L knots, ||theta*||_inf <= rho => int |f''| g <=
   1/eta - 1/2 + C sqrt((1+k-L)/(n eta)) + C^2 (1+k-L)/(4n)", C = max{1, rho (1 + M)}. SGD with any batches that
   weigh all samples alike. *)
Theorem strongly_stable_curvature_bound (f : R -> R) (net : network) (x knots : list R) (jumps : R -> R)
    (rho M eps eta : R) (batches : list (list R)) :
  let n := INR (length x) in
  let C := Rmax 1 (rho * (1 + M)) in
  let P := 1 + INR (width net) - INR (length knots) in
  x <> [] -> NoDup x -> 0 <= rho -> 0 <= M ->
  (forall u, In u (neurons net) -> Rabs (w1 u) <= rho /\ Rabs (b1 u) <= rho /\ Rabs (w2 u) <= rho) ->
  (forall t, In t x -> Rabs t <= M) ->
  (forall t, output net t = f t) -> NoDup knots -> (forall c, In c knots -> kink f c (jumps c) /\ jumps c <> 0) ->
  0 < eps -> 0 < eta -> batches <> [] -> fair_batches x batches ->
  eps_strongly_stable (parameters net) (mode_of net) (network_draws net batches) eps eta ->
  sum (fun c => Rabs (jumps c) * g x c) knots <= 1 / eta - 1 / 2 + C * sqrt (P / (n * eta)) + C ^ 2 * P / (4 * n).
Proof.
  intros n C P nonempty distinct rho_pos M_pos weights data implements apart kinks eps_pos eta_pos some fair stable.
  apply (two_steps_curvature_bound f net x knots jumps rho M eta); try easy;
    now apply (stable_step net x eps eta batches).
Qed.

(* Theorem 2 as printed (M9) follows, from the two steps: the printed Delta is no smaller. *)
Theorem printed_two_steps_curvature_bound (f : R -> R) (net : network) (x knots : list R) (jumps : R -> R)
    (rho M eta : R) :
  let n := INR (length x) in
  let C := Rmax 1 (rho * (1 + M)) in
  let P := 1 + INR (width net) - INR (length knots) in
  x <> [] -> NoDup x -> 0 <= rho -> 0 <= M ->
  (forall u, In u (neurons net) -> Rabs (w1 u) <= rho /\ Rabs (b1 u) <= rho /\ Rabs (w2 u) <= rho) ->
  (forall t, In t x -> Rabs t <= M) ->
  (forall t, output net t = f t) -> NoDup knots -> (forall c, In c knots -> kink f c (jumps c) /\ jumps c <> 0) ->
  0 < eta -> step_no_longer net x eta (mean_gradient net x) ->
  step_no_longer net x eta (fun r => - mean_gradient net x r) ->
  sum (fun c => Rabs (jumps c) * g x c) knots
  <= 1 / eta - 1 / 2 + 3 / 2 * C ^ 2 * (P / n) + C * sqrt (3 / 4 * (P / n) * (3 * C ^ 2 * (P / n) + 2 / eta)).
Proof.
  intros n C P nonempty distinct rho_pos M_pos weights data implements apart kinks eta_pos ahead back.
  eapply Rle_trans; [now apply (two_steps_curvature_bound f net x knots jumps rho M eta)|].
  fold n C P. pose proof (length_pos x nonempty) as n_pos. fold n in n_pos. assert (1 <= C) as C_big by apply Rmax_l.
  destruct x as [|t y] eqn:E; [easy|].
  assert (0 <= P) as P_pos.
  { assert (forall c, In c knots -> jump net c <> 0) as places.
    { intros c Hc. destruct (kinks c Hc) as [is_kink nonzero].
      rewrite (kink_unique f c (jump net c) (jumps c)); [easy| |easy].
      apply (kink_ext (output net)); [easy|apply network_kink]. }
    pose proof (spare_units net knots t apart places).
    pose proof (pos_INR (length (filter (fun i => toggles net i t) (seq 0 (width net))))). unfold P. lra. }
  assert (0 <= P / n) as r_pos by (apply Rmult_le_pos; [easy|apply Rlt_le, Rinv_0_lt_compat; easy]).
  set (r := P / n) in *. assert (0 < / eta) by now apply Rinv_0_lt_compat.
  assert (sqrt (P / (n * eta)) <= sqrt (3 / 4 * r * (3 * C ^ 2 * r + 2 / eta))) as root.
  { apply sqrt_le_1_alt. replace (P / (n * eta)) with (r * / eta) by (unfold r; field; lra).
    assert (0 <= r * / eta) by (apply Rmult_le_pos; lra).
    assert (0 <= r * (C ^ 2 * r)) by (apply Rmult_le_pos; [easy|apply Rmult_le_pos; [apply pow2_ge_0|easy]]).
    unfold Rdiv. lra. }
  assert (C * sqrt (P / (n * eta)) <= C * sqrt (3 / 4 * r * (3 * C ^ 2 * r + 2 / eta)))
    by (apply Rmult_le_compat_l; lra).
  replace (C ^ 2 * P / (4 * n)) with (C ^ 2 * r / 4) by (unfold r; field; lra).
  assert (0 <= C ^ 2 * r) by (apply Rmult_le_pos; [apply pow2_ge_0|easy]). lra.
Qed.

(* mulayoff2021, Theorem 2 as printed (M9). *)
Theorem printed_curvature_bound (f : R -> R) (net : network) (x knots : list R) (jumps : R -> R)
    (rho M eps eta : R) (batches : list (list R)) :
  let n := INR (length x) in
  let C := Rmax 1 (rho * (1 + M)) in
  let P := 1 + INR (width net) - INR (length knots) in
  x <> [] -> NoDup x -> 0 <= rho -> 0 <= M ->
  (forall u, In u (neurons net) -> Rabs (w1 u) <= rho /\ Rabs (b1 u) <= rho /\ Rabs (w2 u) <= rho) ->
  (forall t, In t x -> Rabs t <= M) ->
  (forall t, output net t = f t) -> NoDup knots -> (forall c, In c knots -> kink f c (jumps c) /\ jumps c <> 0) ->
  0 < eps -> 0 < eta -> batches <> [] -> fair_batches x batches ->
  eps_strongly_stable (parameters net) (mode_of net) (network_draws net batches) eps eta ->
  sum (fun c => Rabs (jumps c) * g x c) knots
  <= 1 / eta - 1 / 2 + 3 / 2 * C ^ 2 * (P / n) + C * sqrt (3 / 4 * (P / n) * (3 * C ^ 2 * (P / n) + 2 / eta)).
Proof.
  intros n C P nonempty distinct rho_pos M_pos weights data implements apart kinks eps_pos eta_pos some fair stable.
  apply (printed_two_steps_curvature_bound f net x knots jumps rho M eta); try easy;
    now apply (stable_step net x eps eta batches).
Qed.
